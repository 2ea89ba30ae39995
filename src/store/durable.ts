/**
 * File operations that are on the medium when they return, and files that have their final mode from the start.
 *
 * Only fsync waits for the medium, so only fsync is asynchronous: the other calls work on what is in memory and take
 * microseconds, less than handing each of them to a thread would.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";

/** Returns when an open file is on the medium. */
export const flush = promisify(fsync);

/** Numeric owner; undefined leaves it as the process creates it. */
export interface Owner {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, O_DIRECTORY, O_RDONLY } = constants;
/** What nobody else can look into, until mode and owner are the final ones. No umask takes these bits away. */
const OWNER_FILE = 0o600;
const OWNER_FOLDER = 0o700;
const PARENT_FOLDER = 0o755;

/**
 * Files and folders that were changed and are not yet on the medium. Open descriptors: always end with
 * {@link Unsynced.close}.
 */
export class Unsynced {
  readonly #descriptors: number[] = [];

  /**
   * Creates a file. Mode and owner are set before the first byte is written, through the descriptor, so that no other
   * user can have it open. Fails where anything of that name exists, a link too.
   */
  createFile(path: string, content: string, mode: number, owner: Owner): void {
    const file = openSync(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, OWNER_FILE);
    this.#descriptors.push(file);
    setOwner(file, owner);
    if (mode !== OWNER_FILE) fchmodSync(file, mode);
    writeFileSync(file, content);
  }

  /** A folder in which names were made, renamed or removed. */
  addFolder(path: string): void {
    this.#descriptors.push(openSync(path, O_RDONLY | O_DIRECTORY));
  }

  /** Fsyncs everything, side by side: a disk takes several at once for little more than one. */
  async flush(): Promise<void> {
    await Promise.all(this.#descriptors.map((descriptor) => flush(descriptor)));
  }

  close(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }
}

/**
 * Replaces a file by one rename, durably.
 *
 * @param temporary A name of our own on the same file system; what a crash left there is removed, and nothing is left
 * there where this fails.
 */
export async function replaceFile(
  path: string,
  content: string,
  mode: number,
  owner: Owner,
  temporary: string,
): Promise<void> {
  const file = new Unsynced();
  try {
    inPlaceOf(temporary, () => file.createFile(temporary, content, mode, owner));
    await file.flush();
    renameSync(temporary, path);
  } catch (thrown) {
    // A full disk must not fill up with leftovers, nor keep half of a key.
    rmSync(temporary, { recursive: true, force: true });
    throw thrown;
  } finally {
    file.close();
  }
  await syncFolder(dirname(path));
}

/**
 * Points a link somewhere else by one rename(2): a reader sees the old target or the new one. An empty folder in its
 * place makes way. The caller fsyncs.
 *
 * @throws KeyturnError STORE_UNSAFE where a folder with something in it has its name. Nothing is left behind.
 */
export function replaceLink(path: string, target: string, temporary: string): void {
  inPlaceOf(temporary, () => symlinkSync(target, temporary));
  try {
    // A rename takes the place of whatever has the name, but of a folder.
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) clearAway(path);
    renameSync(temporary, path);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw thrown;
  }
}

/** Makes a folder with its final mode and owner, in place of one that an earlier attempt left. The caller fsyncs. */
export function createFolder(path: string, mode: number, owner: Owner): void {
  inPlaceOf(path, () => mkdirSync(path, OWNER_FOLDER));
  if (mode === OWNER_FOLDER && owner.uid === undefined && owner.gid === undefined) return;
  const folder = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    setOwner(folder, owner);
    fchmodSync(folder, mode);
  } finally {
    closeSync(folder);
  }
}

/**
 * Makes a folder unless it is there, durably.
 *
 * @throws KeyturnError STORE_UNSAFE where something else has its name.
 */
export async function ensureFolder(path: string, mode: number, owner: Owner): Promise<void> {
  if (isFolder(path)) return;
  createFolder(path, mode, owner);
  await syncFolder(dirname(path));
}

/**
 * Makes the folders above a path where they are missing, durably. Whatever the umask, everybody may pass through them
 * and only their owner writes there: what is below has a mode of its own.
 */
export async function ensureParents(path: string): Promise<void> {
  const parent = resolve(dirname(path));
  const first = mkdirSync(parent, { recursive: true, mode: PARENT_FOLDER });
  if (first === undefined) return;
  for (let made = parent; made.startsWith(first); made = dirname(made)) {
    chmodSync(made, PARENT_FOLDER);
    await syncFolder(dirname(made));
  }
}

/**
 * Whether there is a folder of this name.
 *
 * @throws KeyturnError STORE_UNSAFE where something else has it: a link would lead keys elsewhere.
 */
export function isFolder(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return found !== undefined;
  const what = found.isSymbolicLink() ? "a symbolic link" : "not a folder";
  const message = `${path} is ${what}; keyturn writes only into folders of its own: remove it`;
  throw new KeyturnError("STORE_UNSAFE", message);
}

/**
 * Removes what stands where a file or a link of ours belongs: a link itself, never what it leads to, and a folder only
 * where it is empty.
 *
 * @throws KeyturnError STORE_UNSAFE where it is a folder with something in it.
 */
export function clearAway(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  try {
    if (found.isDirectory()) rmdirSync(path);
    else unlinkSync(path);
  } catch (cause) {
    if (systemCodeOf(cause) !== "ENOTEMPTY") throw cause;
    const message = `${path} is a folder with something in it, where keyturn has a file or a link: move it away`;
    throw new KeyturnError("STORE_UNSAFE", message, { cause });
  }
}

/** Fsyncs a folder: names made, renamed or removed in it are then on the medium. */
export async function syncFolder(path: string): Promise<void> {
  const folder = new Unsynced();
  try {
    folder.addFolder(path);
    await folder.flush();
  } finally {
    folder.close();
  }
}

/** Makes something under a name of our own; where a crash left that name behind, it is removed first. */
function inPlaceOf(path: string, make: () => unknown): void {
  try {
    make();
  } catch (thrown) {
    if (systemCodeOf(thrown) !== "EEXIST") throw thrown;
    rmSync(path, { recursive: true, force: true });
    make();
  }
}

/** Gives an open file to its owner. */
export function setOwner(descriptor: number, { uid, gid }: Owner): void {
  if (uid !== undefined || gid !== undefined) fchownSync(descriptor, uid ?? -1, gid ?? -1);
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "the disk is full: free some space, or inodes where df -i shows none"],
  ["EDQUOT", "the quota is used up: free some space"],
  [
    "EACCES",
    "the user keyturn runs as may not: check the folder's owner and mode, or choose another output.dir (--output-dir)",
  ],
  ["EPERM", "the user keyturn runs as may not: check owners and modes, and output.owner and output.group"],
  ["EROFS", "the file system is read-only: mount it writable, or choose another output.dir (--output-dir)"],
  ["EIO", "the disk fails: look at the kernel's log"],
  ["ENOENT", "a folder went away under keyturn; it is made again"],
]);

/**
 * The error as keyturn's own: what was being done, where, and what to do about it.
 *
 * @param where A path for errors that have none: those of calls on an open file, such as write(2) and fsync(2).
 */
export function toStoreFailure(doing: string, thrown: unknown, where?: string): KeyturnError {
  if (thrown instanceof KeyturnError) return thrown;
  const hint = HINTS.get(systemCodeOf(thrown) ?? "");
  const place = where === undefined || hasPath(thrown) ? "" : ` in ${where}`;
  const message = `cannot ${doing}${place}: ${messageOf(thrown)}${hint === undefined ? "" : ` (${hint})`}`;
  return new KeyturnError("STORE_FAILED", message, { cause: thrown });
}

function hasPath(thrown: unknown): boolean {
  return typeof thrown === "object" && thrown !== null && "path" in thrown;
}
