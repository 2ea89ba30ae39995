/**
 * The steps that change a bundle's folder as one.
 *
 * After a crash or a power cut between any two of them, start-up finds either the old generation whole or the new one
 * whole:
 *
 *  1. make the bundle's folders where they are missing; refuse links in their place, and folders of other users
 *  2. make a folder `.new-<id>` that nobody looks into
 *  3. write every file there with its final mode and owner, the manifest among them
 *  4. rename it to `.generations/<id>`
 *  5. fsync every file, their folder and `.generations`: nobody is pointed at it before all of them are on the medium
 *  6. link files that are new; such a link dangles until the next step
 *  7. rename a new link over `current`: the flip, one rename(2)
 *  8. unlink files that are gone, and fsync the bundle's folder, while the services are told: what they read is on
 *     the medium since step 5
 *  9. write the state `live` into the manifest (temporary name, fsync, rename, fsync folder)
 * 10. remove the oldest generations beyond `keep`: rename to `.old-<id>`, then delete
 *
 * And the way back to an earlier generation:
 *
 * 11. compare its files with its manifest, and put their modes and owners right; where one of them is not whole, all
 *     stays as it is
 * 12. write the state `rolledBack` into the manifest of the current one, as step 9 writes: the decision. From here on
 *     start-up goes on to the end. Where the earlier one was rolled back itself, write that it starts anew: only after
 *     the decision, for until then services may still have to be told of what took its place
 *     then steps 6 to 8, to the earlier generation
 * 13. when every service knows what is current, after step 9: write into the manifests of those that were rolled back
 *     that it is finished, and that new content lifts their quarantine
 */
import { renameSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../core/errors.ts";
import type { GenerationId } from "../core/generation.ts";
import type { Access } from "./access.ts";
import {
  createFolder,
  ensureFolder,
  isFolder,
  type Owner,
  replaceFile,
  replaceLink,
  syncFolder,
  Unsynced,
} from "./durable.ts";
import {
  type BundleFolder,
  type FileName,
  GENERATIONS,
  type GenerationFile,
  isPrivate,
  LEAVING,
  MANIFEST,
  UNFINISHED,
} from "./layout.ts";
import { addLinks, removeLinks } from "./links.ts";
import { type Manifest, namesOf, writeManifest } from "./manifest.ts";
import { refuseStranger } from "./strangers.ts";

/** What files and folders get. */
export interface Permissions {
  /** Mode of files that hold a private key. Certificates are 0644 inside a folder that guards them. */
  readonly mode: number;
  readonly owner: Owner;
}

const PUBLIC_MODE = 0o644;

/** Only the owner looks in, and the group where one was chosen. */
export function folderMode({ gid }: Owner): number {
  return gid === undefined ? 0o700 : 0o750;
}

/** Who may read a file of a generation. */
export function accessOf(name: FileName | typeof MANIFEST, { mode, owner }: Permissions): Access {
  return { mode: name !== MANIFEST && isPrivate(name) ? mode : PUBLIC_MODE, owner };
}

/** Steps 1 to 5. Where one fails, what was written so far is removed: a full disk must not fill up with leftovers. */
export async function writeGeneration(
  at: BundleFolder,
  manifest: Manifest,
  files: readonly GenerationFile[],
  permissions: Permissions,
): Promise<void> {
  const { id } = manifest.generation;
  const { owner } = permissions;
  const staging = join(at.generations, UNFINISHED + id);
  for (const path of [at.folder, at.generations]) {
    await ensureFolder(path, folderMode(owner), owner); // 1
    refuseStranger(path, at, owner);
  }
  const unsynced = new Unsynced();
  try {
    createFolder(staging, folderMode(owner), owner); // 2
    for (const { name, content } of files) {
      unsynced.createFile(join(staging, name), content, accessOf(name, permissions).mode, owner); // 3
    }
    unsynced.createFile(join(staging, MANIFEST), writeManifest(manifest), PUBLIC_MODE, owner);
    renameSync(staging, at.generation(id)); // 4
    unsynced.addFolder(at.generation(id));
    unsynced.addFolder(at.generations);
    await unsynced.flush(); // 5
  } catch (thrown) {
    for (const path of [staging, at.generation(id)]) rmSync(path, { recursive: true, force: true });
    throw thrown;
  } finally {
    unsynced.close();
  }
}

/** Steps 6 and 7. Where it throws, nothing points at the generation. */
export function flipTo(at: BundleFolder, manifest: Manifest): void {
  refuseLinks(at, manifest.generation.id);
  addLinks(at, namesOf(manifest), false); // 6
  replaceLink(at.current, currentTarget(manifest.generation.id), join(at.folder, `${UNFINISHED}current`)); // 7
}

/** What `current` has to hold. */
export function currentTarget(id: GenerationId): string {
  return join(GENERATIONS, id);
}

/** Step 8. */
export async function settleFlip(at: BundleFolder, manifest: Manifest): Promise<void> {
  refuseLinks(at, manifest.generation.id);
  removeLinks(at, namesOf(manifest)); // 8
  await syncFolder(at.folder);
}

/** Steps 9, 12 and 13. */
export async function rewriteManifest(at: BundleFolder, manifest: Manifest, owner: Owner): Promise<void> {
  refuseLinks(at, manifest.generation.id);
  const path = join(at.generation(manifest.generation.id), MANIFEST);
  const temporary = join(at.generations, UNFINISHED + MANIFEST);
  await replaceFile(path, writeManifest(manifest), PUBLIC_MODE, owner, temporary); // 9, 12, 13
}

/** Step 10. One that is gone already is as good as removed. */
export async function removeGeneration(at: BundleFolder, id: GenerationId): Promise<void> {
  if (!isFolder(at.folder) || !isFolder(at.generations)) return;
  await removeFolder(at.generation(id), join(at.generations, LEAVING + id)); // 10
}

/** Removes a folder under another name, so that a crash in the middle leaves no half of it under its own. */
export async function removeFolder(path: string, doomed: string): Promise<void> {
  await rm(doomed, { recursive: true, force: true });
  try {
    renameSync(path, doomed);
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return;
    throw thrown;
  }
  await rm(doomed, { recursive: true, force: true });
}

/**
 * What is done in a folder is done wherever a link in its place leads. One that is gone is none.
 *
 * @throws KeyturnError STORE_UNSAFE.
 */
function refuseLinks(at: BundleFolder, id: GenerationId): void {
  for (const path of [at.folder, at.generations, at.generation(id)]) isFolder(path);
}
