/** One process for each output folder, by a lock that the kernel releases when the process ends, however it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { KeyturnError, systemCodeOf } from "../core/errors.ts";

/** A lock that is held. */
export interface FolderLock {
  release(): Promise<void>;
}

const LOCK_FILE = ".lock";

/**
 * Takes the lock of a folder.
 *
 * flock(2) belongs to the open file, not to the process that asked for it: flock(1) takes it on the descriptor it
 * inherits and ends, and the lock stays for as long as this process has the file open. Node has no call of its own.
 *
 * @throws KeyturnError STORE_LOCKED where another process has it; PROGRAM_MISSING without flock(1).
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const path = join(dir, LOCK_FILE);
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    const code = await runFlock(file.fd);
    if (code !== 0) {
      const owner = (await file.readFile("utf8")).trim() || "unknown";
      const message = `another keyturn (process ${owner}) works in ${dir}; stop it, or give this one another output.dir`;
      throw new KeyturnError("STORE_LOCKED", message);
    }
    await file.truncate();
    await file.write(`${process.pid}\n`, 0);
    return { release: () => file.close() };
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

async function runFlock(fd: number): Promise<number> {
  const child = spawn("flock", ["--nonblock", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  } catch (cause) {
    if (systemCodeOf(cause) !== "ENOENT") throw cause;
    const message = "flock(1) is not installed; it comes with util-linux (and with busybox)";
    throw new KeyturnError("PROGRAM_MISSING", message, { cause });
  }
}
