/** Processes that are asked one thing after another: servers, and the loads on them. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Scope } from "../../support/scope.ts";

/** What a process answers: functions by name. Arguments and results are copied from process to process. */
type Answers<Api> = { readonly [Name in keyof Api]: (...words: never[]) => unknown };

/** A process that answers. */
export interface Worker<Api extends Answers<Api>> {
  /** Asks; rejects with what was thrown there, or where the process ends. One question at a time. */
  ask<Name extends keyof Api>(
    name: Name,
    ...words: Parameters<Api[Name]>
  ): Promise<Awaited<ReturnType<Api[Name]>>>;
  stop(): Promise<void>;
}

/** What comes back. */
export type Answer = { readonly value: unknown } | { readonly failure: string };

/** Programs of this folder. */
const PROGRAMS = {
  server: fileURLToPath(import.meta.resolve("./server-program.ts")),
  handshakes: fileURLToPath(import.meta.resolve("./handshake-program.ts")),
  streams: fileURLToPath(import.meta.resolve("./stream-program.ts")),
  requests: fileURLToPath(import.meta.resolve("./request-program.ts")),
} as const;

/** Starts a program; it ends with the run, if not before. */
export function startWorker<Api extends Answers<Api>>(
  scope: Scope,
  program: keyof typeof PROGRAMS,
  words: readonly string[] = [],
): Worker<Api> {
  const child = fork(PROGRAMS[program], words, {
    execArgv: ["--import", "tsx", "--expose-gc"],
    serialization: "advanced",
  });
  const stop = () => end(child);
  scope.after(stop);
  return {
    ask: (name, ...words) =>
      put(child, program, String(name), words) as Promise<Awaited<ReturnType<Api[typeof name]>>>,
    stop,
  };
}

async function put(
  child: ChildProcess,
  program: string,
  name: string,
  words: readonly unknown[],
): Promise<unknown> {
  const over = new AbortController();
  const { signal } = over;
  try {
    const answered = once(child, "message", { signal });
    const ended = once(child, "exit", { signal }).then(([code, by]) => {
      throw new Error(`the ${program} process ended with ${code ?? by}`);
    });
    child.send({ name, words });
    const [answer] = (await Promise.race([answered, ended])) as [Answer];
    if ("failure" in answer) throw new Error(`${program}, ${name}: ${answer.failure}`);
    return answer.value;
  } finally {
    over.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
