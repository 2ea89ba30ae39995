/** File operations that are on the medium when they return, and files that have their final mode from the start. */
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, rename, rm, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";

/** Numeric owner; undefined leaves it as the process creates it. */
export interface Owner {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, O_DIRECTORY, O_RDONLY } = constants;
/** What nobody else can read, until mode and owner are the final ones. */
const NOBODY_ELSE = 0o600;

/**
 * Creates a file and fsyncs it. Mode and owner are set before the first byte is written, through the descriptor, so
 * that no other user can have it open. Fails where anything of that name exists, a link too.
 */
export async function createFile(path: string, content: string, mode: number, owner: Owner): Promise<void> {
  const file = await open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, NOBODY_ELSE);
  try {
    await setOwner(file, owner);
    if (mode !== NOBODY_ELSE || process.umask() !== 0) await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Replaces a file by one rename. The caller fsyncs the folder. */
export async function replaceFile(path: string, content: string, mode: number, owner: Owner): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  await createFile(temporary, content, mode, owner);
  await rename(temporary, path);
}

/** Points a link somewhere else by one rename(2): a reader sees the old target or the new one. The caller fsyncs. */
export async function replaceLink(path: string, target: string, temporary: string): Promise<void> {
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, path);
}

/** Makes a folder with its final mode and owner, and fsyncs its parent. Fails where it exists. */
export async function createFolder(path: string, mode: number, owner: Owner): Promise<void> {
  await mkdir(path, 0o700);
  const folder = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    await setOwner(folder, owner);
    await folder.chmod(mode);
  } finally {
    await folder.close();
  }
  await syncFolder(dirname(path));
}

/**
 * Makes a folder unless it is there.
 *
 * @throws KeyturnError STORE_UNSAFE where something else has its name: a link would lead keys elsewhere.
 */
export async function ensureFolder(path: string, mode: number, owner: Owner): Promise<void> {
  try {
    const found = await lstat(path);
    if (found.isDirectory()) return;
    const what = found.isSymbolicLink() ? "a symbolic link" : "not a folder";
    throw new KeyturnError(
      "STORE_UNSAFE",
      `${path} is ${what}; keyturn writes only into folders of its own: remove it`,
    );
  } catch (thrown) {
    if (systemCodeOf(thrown) !== "ENOENT") throw thrown;
  }
  await createFolder(path, mode, owner);
}

/** Fsyncs a folder: names made, renamed or removed in it are then on the medium. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, O_RDONLY | O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function setOwner(file: FileHandle, { uid, gid }: Owner): Promise<void> {
  if (uid !== undefined || gid !== undefined) await file.chown(uid ?? -1, gid ?? -1);
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "the disk is full: free some space"],
  ["EDQUOT", "the quota is used up: free some space"],
  ["EACCES", "the user keyturn runs as may not: check the folder's owner and mode"],
  ["EPERM", "the user keyturn runs as may not: check the folder's owner and mode"],
  ["EROFS", "the file system is read-only: mount it writable"],
  ["ENOENT", "a folder went away under keyturn; it is made again"],
]);

/** The error as keyturn's own: what was being done, where, and what to do about it. */
export function toStoreFailure(doing: string, thrown: unknown): KeyturnError {
  if (thrown instanceof KeyturnError) return thrown;
  const hint = HINTS.get(systemCodeOf(thrown) ?? "");
  const message = `cannot ${doing}: ${messageOf(thrown)}${hint === undefined ? "" : ` (${hint})`}`;
  return new KeyturnError("STORE_FAILED", message, { cause: thrown });
}
