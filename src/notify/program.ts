/** Runs a program to its end, bounded in time and output; one that takes too long is ended with all it started. */
import { type ChildProcess, spawn } from "node:child_process";
import { systemCodeOf } from "../core/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { OutputTail } from "./output-tail.ts";

/** What is run. */
export interface Run {
  /** The program, by a path or by a name that is looked for in the PATH of `env`, and its arguments. No shell. */
  readonly argv: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** How it ended. `output` is the end of what it wrote to both its outputs. */
export type ProgramEnd =
  | { readonly kind: "exited"; readonly code: number; readonly output: string }
  | { readonly kind: "killed"; readonly by: NodeJS.Signals; readonly output: string }
  | { readonly kind: "overdue"; readonly output: string }
  | { readonly kind: "notStarted"; readonly code: string };

/** The end of the process itself; what it wrote may still be on its way. */
type Exit =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly by: NodeJS.Signals }
  | { readonly kind: "notStarted"; readonly code: string };

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2_000;
/** What the program left running on purpose may hold its outputs open: they are not waited for longer. */
const DRAIN_MS = 200;
const LOOK_EVERY_MS = 20;

/**
 * Runs it in a session of its own, in `/`, with the daemon's umask and nothing on its input. Never rejects.
 *
 * One that is over its time, or that a signal ended, leaves nothing of its process group behind.
 */
export async function runProgram({ argv, env, timeoutMs, clock }: Run): Promise<ProgramEnd> {
  const [program = "", ...words] = argv;
  const deadline = AbortSignal.timeout(timeoutMs);
  let child: ChildProcess;
  try {
    child = spawn(program, words, { env, cwd: "/", detached: true, stdio: ["ignore", "pipe", "pipe"] });
  } catch (thrown) {
    // An empty name, or a NUL in a word.
    return { kind: "notStarted", code: systemCodeOf(thrown) ?? "EINVAL" };
  }
  const exited = exitOf(child);
  const closed = new Promise<"closed">((resolve) => child.once("close", () => resolve("closed")));
  const output = new OutputTail();
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  for (const stream of streams) output.follow(stream);

  const exit = await orAborted(deadline, exited);
  if (child.pid !== undefined && exit?.kind !== "exited") await endGroup(child.pid, clock);
  await orAborted(AbortSignal.timeout(DRAIN_MS), closed);
  for (const stream of streams) stream.destroy();
  // One that runs as another user cannot be ended, and must not keep the daemon from ending.
  child.unref();

  if (exit === undefined) return { kind: "overdue", output: output.end() };
  return exit.kind === "notStarted" ? exit : { ...exit, output: output.end() };
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ kind: "notStarted", code: systemCodeOf(error) ?? error.name }));
    child.once("exit", (code, by) => {
      resolve(by === null ? { kind: "exited", code: code ?? 0 } : { kind: "killed", by });
    });
  });
}

/** What the promise gives; undefined where the signal is first. */
function orAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | undefined> {
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  return Promise.race([promise, aborted]);
}

/** Ends the group of processes that the program leads: SIGTERM, then SIGKILL for what is left of it. */
async function endGroup(leader: number, clock: Clock): Promise<void> {
  const untilMs = clock.monotonicMs() + GRACE_MS;
  let isThere = signalGroup(leader, "SIGTERM");
  while (isThere && clock.monotonicMs() < untilMs) {
    await clock.sleep(LOOK_EVERY_MS, new AbortController().signal);
    isThere = signalGroup(leader, 0);
  }
  if (isThere) signalGroup(leader, "SIGKILL");
}

/** Whether there is such a group still. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch (thrown) {
    return systemCodeOf(thrown) !== "ESRCH";
  }
}
