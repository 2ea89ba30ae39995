/** A server of somebody else's as a child process: started, waited for by its own readiness, ended with the test. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Scope } from "./scope.ts";
import { until } from "./wait.ts";

/** Starts it and waits until `readyUrl` answers 2xx. Its group is ended when the test is over. */
export async function useServer(
  t: Scope,
  program: string,
  words: readonly string[],
  readyUrl: string,
  cwd?: string,
): Promise<void> {
  const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"], detached: true, cwd });
  t.after(async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    process.kill(-child.pid, "SIGKILL");
    await gone;
  });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said = (said + chunk).slice(-4_000);
  });
  await until(`${program} is ready`, async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${said}`);
    return fetch(readyUrl).then(
      ({ ok }) => ok,
      () => false,
    );
  });
}
