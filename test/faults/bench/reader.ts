/** Readers of the files, beside everything else. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import type { Scope } from "../../support/scope.ts";
import type { ReaderCount } from "./reader-program.ts";

/** A reader that reads. */
export interface Reader {
  /** Ends it; gives what it saw. */
  stop(): Promise<ReaderCount>;
}

const PROGRAM = fileURLToPath(new URL("./reader-program.ts", import.meta.url));
/** It reads as fast as it can, with what time the others leave it. */
const NICE = 15;

/** Starts one on bundles that are on disk already, each given by its folder. */
export async function startReader(scope: Scope, folders: readonly string[]): Promise<Reader> {
  const child = fork(PROGRAM, folders);
  scope.after(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  setPriority(child.pid ?? 0, NICE);
  return {
    stop: async () => {
      const counted = once(child, "message");
      child.send("stop");
      const [count] = (await counted) as [ReaderCount];
      return count;
    },
  };
}
