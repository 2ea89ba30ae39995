/** The links beside `current` that give services paths which never change. */
import { readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../core/errors.ts";
import { replaceLink } from "./durable.ts";
import { type BundleFolder, CURRENT, FILE_NAMES, UNFINISHED } from "./layout.ts";

/**
 * Makes a link for each file the current generation has, and removes those to files it has not.
 *
 * @returns whether anything had to be changed; the caller then fsyncs the folder.
 */
export async function linkFiles({ folder }: BundleFolder, has: ReadonlySet<string>): Promise<boolean> {
  const present = new Set(await readdir(folder));
  let changed = false;
  for (const name of FILE_NAMES) {
    const path = join(folder, name);
    const target = join(CURRENT, name);
    if (!has.has(name)) {
      if (!present.has(name)) continue;
      await rm(path);
    } else {
      if (present.has(name) && (await pointsAt(path, target))) continue;
      await replaceLink(path, target, join(folder, UNFINISHED + name));
    }
    changed = true;
  }
  return changed;
}

async function pointsAt(path: string, target: string): Promise<boolean> {
  try {
    return (await readlink(path)) === target;
  } catch (thrown) {
    // EINVAL: something that is no link has the name, and is replaced.
    if (systemCodeOf(thrown) === "EINVAL") return false;
    throw thrown;
  }
}
