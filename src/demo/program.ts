/** A program of the demo: a process of its own that says on standard output, in lines of JSON, what it does. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { KeyturnError } from "../core/errors.ts";
import type { CloseStack } from "../runtime/close-stack.ts";

/** A program that runs. */
export interface Program<Line> {
  /** The next line, from now on, that `pick` makes something of. */
  next<T>(pick: (line: Line) => T | undefined): Promise<T>;
  /** Resolves as the promise does; rejects where the program ends before. */
  started<T>(sign: Promise<T>): Promise<T>;
}

const START_TIMEOUT_MS = 30_000;

/**
 * Starts it, as Node does for a user. It is ended by `closes`.
 *
 * @param what Its name, for a person.
 */
export function startProgram<Line>(
  what: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  closes: CloseStack,
): Program<Line> {
  // A process group of its own: Ctrl-C ends the demo, and the demo ends this, in order.
  const child = spawn(process.execPath, [...process.execArgv, ...argv], {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  closes.push(() => end(child));
  const lines = createInterface(child.stdout);
  return {
    next: (pick) =>
      new Promise((resolve) => {
        const onLine = (text: string): void => {
          const picked = pick(JSON.parse(text) as Line);
          if (picked === undefined) return;
          lines.off("line", onLine);
          resolve(picked);
        };
        lines.on("line", onLine);
      }),
    started: (sign) => Promise.race([sign, exitOf(child, what)]),
  };
}

async function exitOf(child: ChildProcess, what: string): Promise<never> {
  const [code] = await once(child, "exit", { signal: AbortSignal.timeout(START_TIMEOUT_MS) });
  throw new KeyturnError("PROGRAM_FAILED", `${what} did not start: it ended with ${code}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}
