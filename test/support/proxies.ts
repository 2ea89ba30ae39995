/** Real servers for a test, such as haproxy and nginx: found, started waited for, ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { TestContext } from "node:test";
import { until } from "./wait.ts";

/** How a server is run, where that is not as usual. */
export interface ProxyOptions {
  /** What its environment has besides that of the test. */
  readonly env?: NodeJS.ProcessEnv;
  /** What ends it: at once, where it is not given. */
  readonly endBy?: NodeJS.Signals;
}

/** Runs a proxy in the foreground until the test is over. */
export async function runProxy(
  t: TestContext,
  program: string,
  words: readonly string[],
  isReady: () => Promise<boolean>,
  { env = {}, endBy = "SIGKILL" }: ProxyOptions = {},
): Promise<ChildProcess & { readonly pid: number }> {
  // A group of its own: master and workers end together.
  const child = spawn(program, words, {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
    // Not everybody may be where the test is.
    cwd: "/",
    env: { ...process.env, ...env },
  });
  t.after(() => stopProxy(child, endBy));
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
export async function stopProxy(child: ChildProcess, by: NodeJS.Signals = "SIGKILL"): Promise<void> {
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
