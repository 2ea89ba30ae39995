/**
 * Files at a service's own paths (`services[].files`), each replaced by one rename, and only where it differs.
 *
 * The configuration makes the path keyturn's: whatever file is there is replaced, a link itself and not what it leads
 * to. Where the bundle has no such content (a chain of a leaf without intermediates, anchors, CRLs) the file goes: an
 * old one would keep on trusting what the bundle trusts no longer, and an empty one means something else to every
 * service, while a file that is not there is a loud error or, for what is optional, no error at all.
 *
 * Two paths cannot be replaced as one: a service that reads `cert` and `key` may find them torn for a moment, `combined`
 * never. Each file is written in its own folder under `.<name>.keyturn-new`:
 *
 *  1. refuse what is unsafe or cannot be done, before anything is touched; remove what a crash left
 *  2. write files that differ under their temporary names with their final mode and owner, and fsync them side by side
 *  3. rename each over its path, or remove what is to go
 *  4. fsync the folders
 */
import { renameSync, rmSync, statSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { KeyturnError, systemCodeOf } from "../core/errors.ts";
import { findAccess } from "./access.ts";
import { type Owner, toStoreFailure, Unsynced } from "./durable.ts";
import { type Finding, kindOf, lookAt, readWhole, sha256Of } from "./inspect.ts";
import { lookUpOwner } from "./owner.ts";
import { holdsKey, type PlainContent, plainTextOf } from "./plain-content.ts";
import type { GenerationPem } from "./read-pem.ts";
import type { Permissions } from "./steps.ts";

/** A file as `services[].files` has it. */
export interface PlainFileSetting {
  readonly path: string;
  readonly content: PlainContent;
  readonly mode?: number | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

/** A file with the mode and owner it gets. */
export interface PlainFile {
  readonly path: string;
  readonly content: PlainContent;
  readonly mode: number;
  readonly owner: Owner;
}

/** A file with what it has to hold; null where it is not to be there. */
interface Wanted extends PlainFile {
  readonly text: string | null;
}

const PUBLIC_MODE = 0o644;
const OTHERS = 0o007;

/**
 * Gives files their mode and owner. Where the setting does not say, a key has the mode of the keys in the output
 * folder, anything else 0644, and both its owner.
 *
 * @param where The setting, for messages: `services[nginx].files`.
 * @throws KeyturnError CONFIG_INVALID where the machine knows no such user or group, or a path is given twice;
 * STORE_UNSAFE for a key that others may read.
 */
export async function lookUpPlainFiles(
  settings: readonly PlainFileSetting[],
  { mode: keyMode, owner: defaultOwner }: Permissions,
  where: string,
): Promise<readonly PlainFile[]> {
  const paths = new Set<string>();
  for (const { path } of settings) {
    if (paths.has(path)) throw new KeyturnError("CONFIG_INVALID", `${where}: ${path} is given twice`);
    paths.add(path);
  }
  return Promise.all(
    settings.map(async ({ path, content, mode, owner, group }) => {
      const { uid = defaultOwner.uid, gid = defaultOwner.gid } = await lookUpOwner(owner, group, where);
      const file = { path, content, mode: mode ?? (holdsKey(content) ? keyMode : PUBLIC_MODE) };
      refuseOpenKey(file);
      return { ...file, owner: { uid, gid } };
    }),
  );
}

/**
 * Makes the files hold what the bundle does. What is right already is not touched.
 *
 * @returns the paths that were changed.
 * @throws KeyturnError STORE_UNSAFE, STORE_FAILED.
 */
export async function writePlainFiles(
  files: readonly PlainFile[],
  pem: GenerationPem,
): Promise<readonly string[]> {
  const differing = wantedOf(files, pem).filter((file) => findFaults(file).length > 0);
  const paths = differing.map(({ path }) => path);
  try {
    for (const file of files) refuseOpenKey(file); // 1
    for (const file of differing) refuseOccupied(file);
    for (const { path } of files) removeTemporary(path);
    await replaceAll(differing);
  } catch (thrown) {
    throw toStoreFailure(`write ${paths.join(", ")}`, thrown);
  }
  return paths;
}

/** Compares the files with what the bundle holds, and changes nothing. */
export async function auditPlainFiles(
  files: readonly PlainFile[],
  pem: GenerationPem,
): Promise<readonly Finding[]> {
  return [...wantedOf(files, pem).flatMap(findFaults), ...files.flatMap(findLeftover)];
}

async function replaceAll(files: readonly Wanted[]): Promise<void> {
  const unsynced = new Unsynced();
  try {
    for (const { path, text, mode, owner } of files) {
      if (text === null) continue;
      unsynced.createFile(temporaryOf(path), text, mode, owner); // 2
    }
    await unsynced.flush();
    for (const { path, text } of files) {
      if (text === null)
        unlinkSync(path); // 3
      else renameSync(temporaryOf(path), path);
    }
    for (const folder of new Set(files.map(({ path }) => dirname(path)))) unsynced.addFolder(folder);
    await unsynced.flush(); // 4
  } catch (thrown) {
    for (const { path } of files) removeTemporary(path);
    throw thrown;
  } finally {
    unsynced.close();
  }
}

function wantedOf(files: readonly PlainFile[], pem: GenerationPem): Wanted[] {
  return files.map((file) => ({ ...file, text: plainTextOf(file.content, pem) }));
}

function findFaults(file: Wanted): Finding[] {
  const { path, text, content } = file;
  const fault = (message: string): Finding[] => [{ message, misleads: true }];
  const stats = isFolder(dirname(path)) ? lookAt(path) : undefined;
  if (text === null) {
    return stats === undefined ? [] : fault(`${path} is there, and the bundle has no ${content}`);
  }
  if (stats === undefined) return fault(`${path} is gone`);
  if (!stats.isFile()) return fault(`${path} is ${kindOf(stats)}, not a file of its own`);
  const facts = { bytes: Buffer.byteLength(text), sha256: sha256Of(text) };
  const isRight = readWhole(path, facts) !== undefined;
  const differs = isRight ? [] : fault(`${path} does not hold the ${content} of the bundle`);
  return [...differs, ...findAccess(path, stats, file, holdsKey(content))];
}

/** Nobody reads it there, but it may hold a key that nothing else removes. */
function findLeftover({ path }: PlainFile): Finding[] {
  const temporary = temporaryOf(path);
  if (!isFolder(dirname(path)) || lookAt(temporary) === undefined) return [];
  return [{ message: `${temporary} is left of a write that was broken off`, misleads: false }];
}

function refuseOpenKey({ path, content, mode }: Pick<PlainFile, "path" | "content" | "mode">): void {
  if (!holdsKey(content) || (mode & OTHERS) === 0) return;
  const message = `${path} would hold a private key that everybody may read; give it mode "0640" or "0600"`;
  throw new KeyturnError("STORE_UNSAFE", message);
}

/** A folder that is missing, and anything at the path that is not a file or a link, is for a person to see to. */
function refuseOccupied({ path }: Wanted): void {
  const folder = dirname(path);
  if (!isFolder(folder)) {
    const message = `there is no folder ${folder}; create it: keyturn makes no folders outside its own`;
    throw new KeyturnError("STORE_FAILED", message);
  }
  const stats = lookAt(path);
  if (stats === undefined || stats.isFile() || stats.isSymbolicLink()) return;
  throw new KeyturnError("STORE_UNSAFE", `${path} is ${kindOf(stats)}, where a file belongs: move it away`);
}

/** Whether it is one, or leads to one: where a service keeps its files is not keyturn's to judge. */
function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOTDIR") return false;
    throw thrown;
  }
}

/** What an attempt left that was broken off: it may hold a key that is not in use any more. */
function removeTemporary(path: string): void {
  if (isFolder(dirname(path))) rmSync(temporaryOf(path), { force: true });
}

/** In the same folder, so that it can be renamed. */
function temporaryOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.keyturn-new`);
}
