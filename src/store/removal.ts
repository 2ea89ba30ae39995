/**
 * Takes a bundle away: its history first, renamed aside in one step, so that no key outlives a crash in the middle.
 * What somebody else put into its folder stays, and then the folder does.
 */
import { type Dirent, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncFolder } from "./durable.ts";
import { areFolders } from "./inspect.ts";
import { type BundleFolder, CURRENT, FILE_NAMES, GENERATIONS, LEAVING, UNFINISHED } from "./layout.ts";
import { removeFolder } from "./steps.ts";

const LINKS: ReadonlySet<string> = new Set([CURRENT, ...FILE_NAMES]);

/** @returns the names of what is not keyturn's, and stays. */
export async function removeBundle(at: BundleFolder): Promise<readonly string[]> {
  const output = dirname(at.folder);
  const entries = areFolders(at.folder) ? readdirSync(at.folder, { withFileTypes: true }) : [];
  const kept = entries.filter((entry) => !isOwn(entry)).map(({ name }) => name);
  if (kept.length === 0) {
    await removeFolder(at.folder, join(output, LEAVING + basename(at.folder)));
  } else {
    await removeFolder(at.generations, join(at.folder, LEAVING + GENERATIONS));
    for (const { name } of entries.filter(isOwn)) {
      await rm(join(at.folder, name), { recursive: true, force: true });
    }
    await syncFolder(at.folder);
  }
  await syncFolder(output);
  return kept;
}

/** By its name; a folder in place of a link is somebody else's. */
function isOwn(entry: Dirent): boolean {
  const { name } = entry;
  if (LINKS.has(name)) return !entry.isDirectory();
  return name === GENERATIONS || name.startsWith(UNFINISHED) || name.startsWith(LEAVING);
}
