/** Examines test cases in a process of its own, so that none can hang or end more than its own examination. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Examine, Verdict } from "./verdict.ts";

/** A row of processes, of which one lives at a time. */
export interface Examiner {
  readonly examine: Examine;
  /** Ends what is left of it. */
  close(): void;
}

/** How to examine. */
export interface ExaminerOptions {
  /** A case that takes longer is hung, and its process is ended. */
  readonly deadlineMs: number;
  /** A module that answers each message with a {@link Verdict}, and says `ready` before. */
  readonly program?: string;
}

const PROGRAM = fileURLToPath(new URL("./examiner-process.ts", import.meta.url));
const START_DEADLINE_MS = 60_000;

/** Makes an examiner; its process starts with the first case. One case at a time. */
export function createExaminer({ deadlineMs, program = PROGRAM }: ExaminerOptions): Examiner {
  let child: ChildProcess | undefined;

  const end = () => {
    if (child !== undefined) endGroup(child);
    child = undefined;
  };

  return {
    close: end,
    examine: async (json) => {
      if (child?.connected === false) {
        end();
        return { kind: "crashed", how: "ended by itself after the case before this one" };
      }
      if (child === undefined) {
        // The head of a group: what it starts ends with it.
        child = fork(program, { detached: true, stdio: ["ignore", "ignore", "inherit", "ipc"] });
        const start = await nextOf(child, START_DEADLINE_MS);
        if (start.kind !== "message") {
          end();
          throw new Error(`the process that examines does not start: it ${start.how}`);
        }
      }
      const answer = nextOf(child, deadlineMs);
      // Where it cannot be sent the process has ended, which is heard of by itself.
      child.send({ json }, () => undefined);
      const next = await answer;
      if (next.kind === "message") return next.verdict;
      end();
      return next;
    },
  };
}

type Next =
  | { readonly kind: "message"; readonly verdict: Verdict }
  | { readonly kind: "hung" | "crashed"; readonly how: string };

/** What comes first: a message, the end of the process, or the deadline. */
async function nextOf(child: ChildProcess, deadlineMs: number): Promise<Next> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    return await Promise.race([
      once(child, "message", { signal }).then(([verdict]): Next => ({ kind: "message", verdict })),
      once(child, "exit", { signal }).then(
        ([code, killedBy]): Next => ({ kind: "crashed", how: `ended with ${killedBy ?? code}` }),
      ),
      once(deadline, "abort", { signal }).then(
        (): Next => ({ kind: "hung", how: `gave no answer within ${deadlineMs} ms` }),
      ),
    ]);
  } finally {
    waiting.abort();
  }
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (thrown) {
    // Nobody is left of the group.
    if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown;
  }
}
