/** What start-up finds of one bundle: leftovers of a crash are removed, links put right, and what is current is read. */
import { lstat, readdir, readlink, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { systemCodeOf } from "../core/errors.ts";
import { type BundleName, bundleName } from "../core/names.ts";
import { syncFolder } from "./durable.ts";
import { type BundleFolder, folderOf, GENERATIONS, LEAVING, sequenceOf, UNFINISHED } from "./layout.ts";
import { addLinks, removeLinks } from "./links.ts";
import { type Manifest, readManifest } from "./manifest.ts";

/** A bundle as it is on disk. */
export interface RecoveredBundle {
  /** Oldest first; those with a manifest that can be read. */
  readonly generations: readonly Manifest[];
  /** What `current` points at; undefined where it points at nothing usable. */
  readonly current: Manifest | undefined;
  /** No generation of this bundle ever had a higher number. */
  readonly lastSequence: number;
}

/** Recovers every bundle of an output folder; what is none is left alone. */
export async function recoverAll(dir: string): Promise<Map<BundleName, RecoveredBundle>> {
  const bundles = new Map<BundleName, RecoveredBundle>();
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.name.startsWith(LEAVING)) await rm(join(dir, entry.name), { recursive: true, force: true });
    const name = bundleName(entry.name);
    if (name === undefined || !entry.isDirectory()) continue;
    bundles.set(name, await recoverBundle(folderOf(dir, name)));
  }
  return bundles;
}

/**
 * Recovers one bundle. Where nothing was left behind, nothing is written.
 *
 * 1. Remove what was being written or removed (`.new-…`, `.old-…`).
 * 2. Read the manifests; a generation without one was never pointed at by a finished flip.
 * 3. Follow `current`; a generation that is pointed at and not `live` has its services still to be told.
 * 4. Put the links to its files right: the crash may have come between the flip and them.
 */
async function recoverBundle(at: BundleFolder): Promise<RecoveredBundle> {
  await removeLeftovers(at);
  const names = await namesIn(at.generations);
  const sequences = names.map((name) => sequenceOf(name) ?? 0);
  const ids = names.filter((name) => sequenceOf(name) !== undefined).sort(bySequence);
  const read = await Promise.all(ids.map((id) => readManifest(join(at.generations, id))));
  const generations = read.filter((manifest) => manifest !== undefined);

  const pointedAt = await targetOf(at.current);
  const found = generations.find(({ generation }) => generation.id === pointedAt);
  const current = found === undefined ? undefined : asCurrent(found);
  if (current !== undefined) {
    const has = new Set(Object.keys(current.files));
    const [added, removed] = [addLinks(at, has, true), removeLinks(at, has)];
    if (added || removed) await syncFolder(at.folder);
  }
  return { generations, current, lastSequence: Math.max(0, ...sequences) };
}

function asCurrent(manifest: Manifest): Manifest {
  const { generation, files } = manifest;
  return generation.state === "live" ? manifest : { generation: { ...generation, state: "current" }, files };
}

async function removeLeftovers(at: BundleFolder): Promise<void> {
  for (const folder of [at.folder, at.generations]) {
    const leftovers = (await namesIn(folder)).filter(
      (name) => name.startsWith(UNFINISHED) || name.startsWith(LEAVING),
    );
    for (const name of leftovers) await rm(join(folder, name), { recursive: true, force: true });
    if (leftovers.length > 0) await syncFolder(folder);
  }
}

async function targetOf(link: string): Promise<string | undefined> {
  try {
    if (!(await lstat(link)).isSymbolicLink()) return undefined;
    const target = await readlink(link);
    return target === join(GENERATIONS, basename(target)) ? basename(target) : undefined;
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return [];
    throw thrown;
  }
}

function bySequence(a: string, b: string): number {
  return (sequenceOf(a) ?? 0) - (sequenceOf(b) ?? 0);
}
