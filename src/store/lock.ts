/** One process for each output folder, by a lock that the kernel releases when the process ends, however it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { KeyturnError, systemCodeOf } from "../core/errors.ts";
import { ensureFolder, ensureParents, type Owner, replaceFile } from "./durable.ts";
import { lookAt, readRegular } from "./inspect.ts";
import { UNFINISHED } from "./layout.ts";
import { folderMode } from "./steps.ts";

/** A lock that is held. */
export interface FolderLock {
  /**
   * Where the path no longer leads to the folder that is locked, because that was removed, moved away or mounted over:
   * makes the folder again if need be, and locks it. Nothing is to be written before.
   *
   * @throws KeyturnError STORE_LOCKED where another process has it now; what {@link lockFolder} throws.
   */
  follow(): Promise<void>;
  release(): Promise<void>;
}

/** A folder that is locked. */
interface Held {
  readonly folder: FileHandle;
  readonly stats: BigIntStats;
}

/** Says who has the lock, for the message of whoever comes second. The lock does not depend on it. */
const NOTE = ".lock";
const NOTE_MODE = 0o600;
/** How flock(1) ends where another has the lock. */
const TAKEN = 1;

/**
 * Takes the lock of a folder, making it if need be.
 *
 * @throws KeyturnError STORE_LOCKED where another process has it; PROGRAM_MISSING without flock(1); STORE_UNSAFE where
 * it is no folder; and whatever the file system says.
 */
export async function lockFolder(dir: string, owner: Owner): Promise<FolderLock> {
  let held = await take(dir, owner);
  let taking: Promise<void> | undefined;
  const takeAgain = async () => {
    const lost = held;
    held = await take(dir, owner);
    await lost.folder.close();
  };
  return {
    follow: async () => {
      const { dev, ino } = held.stats;
      const found = lookAt(dir);
      if (found?.dev === dev && found.ino === ino) return;
      taking ??= takeAgain().finally(() => {
        taking = undefined;
      });
      await taking;
    },
    release: () => held.folder.close(),
  };
}

async function take(dir: string, owner: Owner): Promise<Held> {
  await ensureParents(dir);
  await ensureFolder(dir, folderMode(owner), owner);
  const folder = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if (!(await flock(folder.fd))) {
      const message = `another keyturn (process ${readNote(dir)}) works in ${dir}; stop it, or give this one another output.dir`;
      throw new KeyturnError("STORE_LOCKED", message);
    }
    const stats = await folder.stat({ bigint: true });
    await writeNote(dir);
    return { folder, stats };
  } catch (thrown) {
    await folder.close();
    throw thrown;
  }
}

/**
 * flock(2) belongs to the open file, not to the process that asked for it: flock(1) takes it on the descriptor it
 * inherits and ends, and the lock stays for as long as this process has the file open. Node has no call of its own.
 *
 * @returns false where another process has it.
 * @throws KeyturnError STORE_FAILED where flock(1) fails for another reason.
 */
async function flock(fd: number): Promise<boolean> {
  // From /: a working folder that was removed would look like a program that is missing.
  const child = spawn("flock", ["--nonblock", "3"], { cwd: "/", stdio: ["ignore", "ignore", "pipe", fd] });
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint += chunk;
  });
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    if (code === 0) return true;
    // Busybox ends with 1 for every failure, and says nothing of one that is no failure.
    if (code === TAKEN && complaint === "") return false;
    const end = code === null ? `was ended by ${signal}` : `ended with ${code}: ${complaint.trim()}`;
    throw new KeyturnError("STORE_FAILED", `cannot lock the output folder: flock(1) ${end}`);
  } catch (cause) {
    if (systemCodeOf(cause) !== "ENOENT") throw cause;
    const message = "flock(1) is not installed; it comes with util-linux (and with busybox)";
    throw new KeyturnError("PROGRAM_MISSING", message, { cause });
  }
}

/** By a rename: what somebody put in its place is not written through. On a full disk there is none, and that is all. */
async function writeNote(dir: string): Promise<void> {
  const note = join(dir, NOTE);
  const nobody = { uid: undefined, gid: undefined };
  try {
    await replaceFile(note, `${process.pid}\n`, NOTE_MODE, nobody, join(dir, `${UNFINISHED}lock`));
  } catch {
    // Better none than one that names a process of the past.
    await rm(note, { force: true }).catch((thrown: unknown) => thrown);
  }
}

function readNote(dir: string): string {
  const note = join(dir, NOTE);
  const text = readRegular(note, Number(lookAt(note)?.size ?? 0))?.content.toString("utf8") ?? "";
  return /^\d{1,10}\n$/.test(text) ? text.trim() : "unknown";
}
