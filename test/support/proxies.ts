/** Real haproxy and nginx for a test: found, started in a folder, waited for, ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { until } from "./wait.ts";

/** The starter of a proxy: in KEYTURN_PROXIES_BIN, which scripts/ready.mjs sets, or on the PATH. */
export async function findProxy(program: "haproxy" | "nginx"): Promise<string> {
  const { KEYTURN_PROXIES_BIN: named, PATH = "" } = process.env;
  for (const folder of named ? [named] : PATH.split(delimiter)) {
    const path = join(folder, program);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new Error(`there is no ${program}: run the tests by "npm test", which fetches it, or install it`);
}

/** Runs a proxy in the foreground until the test is over. */
export async function runProxy(
  t: TestContext,
  program: string,
  words: readonly string[],
  isReady: () => Promise<boolean>,
): Promise<ChildProcess & { readonly pid: number }> {
  // A group of its own: master and workers end together.
  const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"], detached: true });
  t.after(() => stopProxy(child));
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

/** Ends it and its workers at once. */
export async function stopProxy(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  process.kill(-child.pid, "SIGKILL");
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
