/** What start-up finds of one bundle: leftovers of a crash are removed, links put right, and what is current is read. */
import { lstat, readdir, readlink, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { type KeyturnError, systemCodeOf } from "../core/errors.ts";
import type { GenerationId } from "../core/generation.ts";
import { type BundleName, bundleName } from "../core/names.ts";
import { isWhole } from "./audit.ts";
import {
  type BundleState,
  findGeneration,
  NOTHING_KNOWN,
  pointedAtBy,
  startAnew,
  waysBackOf,
  withManifest,
  withRollback,
} from "./bundle-state.ts";
import { clearAway, type Owner, syncFolder, toStoreFailure } from "./durable.ts";
import { areFolders, lookAt } from "./inspect.ts";
import { type BundleFolder, folderOf, LEAVING, sequenceOf, UNFINISHED } from "./layout.ts";
import { addLinks, removeLinks } from "./links.ts";
import { isManifestTorn, type Manifest, namesOf, readManifest } from "./manifest.ts";
import { currentTarget, flipTo, removeGeneration, rewriteManifest } from "./steps.ts";
import { strangerOf } from "./strangers.ts";

/** What start-up finds in an output folder. */
export interface Recovered {
  readonly states: ReadonlyMap<BundleName, BundleState>;
  /** Bundles that could not be recovered, and why. */
  readonly failures: ReadonlyMap<BundleName, KeyturnError>;
}

/** Recovers every bundle of an output folder, one without the others; what is none is left alone. */
export async function recoverAll(dir: string, owner: Owner): Promise<Recovered> {
  const states = new Map<BundleName, BundleState>();
  const failures = new Map<BundleName, KeyturnError>();
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.name.startsWith(LEAVING)) await rm(join(dir, entry.name), { recursive: true, force: true });
    const name = bundleName(entry.name);
    if (name === undefined || !entry.isDirectory()) continue;
    try {
      states.set(name, await recoverBundle(folderOf(dir, name), owner));
    } catch (thrown) {
      failures.set(name, toStoreFailure(`recover ${name}`, thrown, join(dir, name)));
    }
  }
  return { states, failures };
}

/**
 * Recovers one bundle. Where nothing was left behind, nothing is written. Nothing is known of what is behind a link in
 * place of a folder, or in a folder of another user: the next write refuses it.
 *
 * 0. Remove a file in place of the folder of its generations: it is worth no more than nothing there.
 * 1. Remove what was being written or removed (`.new-…`, `.old-…`).
 * 2. Read the manifests, and follow `current`. Remove what nothing points at and is not whole: there a power cut came
 *    between steps 4 and 5.
 * 3. A generation that is pointed at and not `live` has its services still to be told.
 * 4. Where that one was rolled back, the crash came between the decision and the flip: finish the way back.
 * 5. Put the links to its files right: the crash may have come between the flip and them.
 */
export async function recoverBundle(at: BundleFolder, owner: Owner): Promise<BundleState> {
  const strangers = [at.folder, at.generations].map((path) => strangerOf(path, at, owner));
  if (strangers.some((uid) => uid !== undefined)) return NOTHING_KNOWN;
  if (lookAt(at.generations)?.isFile()) clearAway(at.generations); // 0
  await removeLeftovers(at); // 1
  const names = await namesIn(at.generations);
  const sequences = names.map((name) => sequenceOf(name) ?? 0);
  const ids = names.filter((name) => sequenceOf(name) !== undefined).sort(bySequence);
  const pointedAt = await targetOf(at.current);
  const generations = await readGenerations(at, ids as GenerationId[], pointedAt, owner); // 2
  const found = { ...NOTHING_KNOWN, generations, lastSequence: Math.max(0, ...sequences) };
  if (pointedAt === undefined || findGeneration(found, pointedAt) === undefined) return found; // 3
  const state = await finishWayBack(at, { ...found, pointedAt }, owner); // 4
  const current = pointedAtBy(state);
  if (current !== undefined) {
    const has = namesOf(current);
    const [added, removed] = [addLinks(at, has, true), removeLinks(at, has)]; // 5
    if (added || removed || state.pointedAt !== pointedAt) await syncFolder(at.folder);
  }
  return state;
}

/** Step 2. */
async function readGenerations(
  at: BundleFolder,
  ids: readonly GenerationId[],
  pointedAt: GenerationId | undefined,
  owner: Owner,
): Promise<Manifest[]> {
  const generations: Manifest[] = [];
  for (const id of ids) {
    const manifest = readManifest(at, id);
    const isOwn = strangerOf(at.generation(id), at, owner) === undefined;
    if (id !== pointedAt && isOwn && isTorn(at, id, manifest)) await removeGeneration(at, id);
    else if (manifest !== undefined) generations.push(manifest);
  }
  return generations;
}

/** Whether it never was on the medium as a whole. One that was live, or that another version wrote, is no such thing. */
function isTorn(at: BundleFolder, id: GenerationId, manifest: Manifest | undefined): boolean {
  if (manifest === undefined) return isManifestTorn(at, id);
  return manifest.generation.state === "staged" && !isWhole(at, manifest);
}

/** Step 4. Where there is nowhere to go back to, what is current stays so, and its services are told again. */
async function finishWayBack(at: BundleFolder, state: BundleState, owner: Owner): Promise<BundleState> {
  const given = pointedAtBy(state);
  const rollback = given?.generation.rollback;
  if (given === undefined || !rollback || rollback.finished) return state;
  const target = wayBackOf(at, state, rollback.to);
  if (target === undefined) return state;
  const { id } = target.generation;
  const [decided, anew] = [withRollback(given, { to: id }), startAnew(target)];
  if (decided !== given) await rewriteManifest(at, decided, owner);
  if (anew !== target) await rewriteManifest(at, anew, owner);
  flipTo(at, anew);
  return { ...withManifest(withManifest(state, decided), anew), pointedAt: id };
}

/** The generation that was decided for; where it is gone or damaged, the newest other one that was live. */
function wayBackOf(at: BundleFolder, state: BundleState, to: GenerationId): Manifest | undefined {
  const decided = to === state.pointedAt ? undefined : findGeneration(state, to);
  return [decided, ...waysBackOf(state)].find((manifest) => manifest !== undefined && isWhole(at, manifest));
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

async function targetOf(link: string): Promise<GenerationId | undefined> {
  try {
    if (!(await lstat(link)).isSymbolicLink()) return undefined;
    const target = await readlink(link);
    const id = basename(target) as GenerationId;
    return target === currentTarget(id) ? id : undefined;
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  if (!areFolders(folder)) return [];
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
