/** A crash between two system calls: from the n-th one that changes anything on, none of them does. */
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

/** How a run ended that was to crash. */
export interface CrashedRun {
  /** False where the run had fewer changes than were to be let through: it came to its end. */
  readonly crashed: boolean;
  /** What the run threw, whether it crashed or not. */
  readonly thrown: unknown;
}

const CHANGING = [
  "chmodSync",
  "fchmodSync",
  "fchownSync",
  "mkdirSync",
  "openSync",
  "renameSync",
  "rmdirSync",
  "rmSync",
  "symlinkSync",
  "unlinkSync",
  "writeFileSync",
] as const;

/** Runs something whose process is as good as dead after `changes` calls that change the file system. */
export async function crashAfter(changes: number, run: () => Promise<unknown>): Promise<CrashedRun> {
  let left = changes;
  let crashed = false;
  const count = () => {
    if (left > 0) {
      left--;
      return;
    }
    crashed = true;
    throw new Error("the process was killed");
  };
  const restore = replaceCalls(count);
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

function replaceCalls(count: () => void): () => void {
  const [table, promised] = [fs as unknown as Calls, promises as unknown as Calls];
  const real = new Map(CHANGING.map((name) => [name, table[name]] as const));
  const realRm = promised.rm;
  for (const [name, call] of real) {
    table[name] = (...args: unknown[]) => {
      if (name !== "openSync" || isChange(args[1])) count();
      return call?.apply(fs, args);
    };
  }
  promised.rm = async (...args: unknown[]) => {
    count();
    return realRm?.apply(promises, args);
  };
  syncBuiltinESMExports();
  return () => {
    for (const [name, call] of real) table[name] = call;
    promised.rm = realRm;
    syncBuiltinESMExports();
  };
}

type Calls = Record<string, ((...args: unknown[]) => unknown) | undefined>;

function isChange(flags: unknown): boolean {
  return typeof flags === "number" && (flags & fs.constants.O_CREAT) !== 0;
}
