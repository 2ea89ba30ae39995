/**
 * Files that were hashed, so that they are not read again while they stay the same.
 *
 * While the kernel's facts about a file (inode, size, times, mode, owner) are those it had when it was hashed, its bytes
 * are too: nobody can set a change time. But those times are as coarse as a tick of the kernel, so a file that changed
 * just now may change again and look the same: it is not remembered.
 */
import type { BigIntStats } from "node:fs";
import type { Clock } from "../runtime/clock.ts";

const SETTLED_AFTER_MS = 2_000;

/** The files of one generation. */
export class HashedFiles {
  readonly #clock: Pick<Clock, "now">;
  readonly #facts = new Map<string, string>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Whether the file was hashed as it is, and its hash was this one. */
  has(path: string, stats: BigIntStats, sha256: string): boolean {
    return this.#facts.get(path) === factsOf(stats, sha256);
  }

  /** @param stats As they were before it was read. */
  add(path: string, stats: BigIntStats, sha256: string): void {
    const isSettled = this.#clock.now().getTime() - Number(stats.ctimeMs) > SETTLED_AFTER_MS;
    if (isSettled) this.#facts.set(path, factsOf(stats, sha256));
  }
}

function factsOf({ dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid }: BigIntStats, sha256: string): string {
  return [dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid, sha256].join(" ");
}
