/** A crash between two system calls: from the n-th one that changes anything on, none of them does. */
import { beforeEachChange } from "./changes.ts";

/** How a run ended that was to crash. */
export interface CrashedRun {
  /** False where the run had fewer changes than were to be let through: it came to its end. */
  readonly crashed: boolean;
  /** What the run threw, whether it crashed or not. */
  readonly thrown: unknown;
}

/** Runs something whose process is as good as dead after `changes` calls that change the file system. */
export async function crashAfter(changes: number, run: () => Promise<unknown>): Promise<CrashedRun> {
  let left = changes;
  let crashed = false;
  const restore = beforeEachChange(() => {
    if (left > 0) {
      left--;
      return;
    }
    crashed = true;
    throw new Error("the process was killed");
  });
  let thrown: unknown;
  try {
    await run();
  } catch (error) {
    thrown = error;
  } finally {
    restore();
  }
  return { crashed, thrown };
}
