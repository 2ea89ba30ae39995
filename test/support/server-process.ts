/** A server of somebody else's as a child process, such as haproxy: started, waited for, ended with the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Scope } from "./scope.ts";
import { until } from "./wait.ts";

/** How a server is run, where that is not as usual. */
export interface ServerOptions {
  /** What its environment has besides that of the test. */
  readonly env?: NodeJS.ProcessEnv;
  /** The root where it is not given: not everybody may be where the test is. */
  readonly cwd?: string | undefined;
  /** What ends it: at once, where it is not given. */
  readonly endBy?: NodeJS.Signals;
}

/** Runs it in the foreground until the test is over; resolves when it is ready. */
export async function runServer(
  t: Scope,
  program: string,
  words: readonly string[],
  isReady: () => Promise<boolean>,
  { env = {}, cwd = "/", endBy = "SIGKILL" }: ServerOptions = {},
): Promise<ChildProcess & { readonly pid: number }> {
  // A group of its own: master and workers end together.
  const child = spawn(program, words, {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
    cwd,
    env: { ...process.env, ...env },
  });
  t.after(() => stopServer(child, endBy));
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said = (said + chunk).slice(-4_000);
  });
  await until(`${program} is ready`, () => {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${said}`);
    return isReady();
  });
  return child as ChildProcess & { readonly pid: number };
}

/** Ends it and its workers. */
export async function stopServer(child: ChildProcess, by: NodeJS.Signals = "SIGKILL"): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  process.kill(-child.pid, by);
  await gone;
}

/** Whether somebody listens there: a port of 127.0.0.1, or the path of a socket. */
export function isOpen(target: number | string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = typeof target === "number" ? connect(target, "127.0.0.1") : connect(target);
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
