/** `keyturn proxy` as a child process, seen only from outside. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { followLog, type LogLine, spawnKeyturn } from "./daemon.ts";
import type { Scope } from "./scope.ts";
import { until } from "./wait.ts";

/** A proxy that was started. */
export interface ProxyProcess {
  readonly process: ChildProcess;
  readonly log: readonly LogLine[];
  /** Waits until it serves; gives the port. */
  running(): Promise<number>;
  /** Sends a signal, and gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts it on a port of its own; it is killed when the test is over. */
export function useProxyProcess(t: Scope, args: readonly string[]): ProxyProcess {
  const child = spawnKeyturn(["proxy", "--listen", "127.0.0.1:0", ...args]);
  t.after(() => void child.kill("SIGKILL"));
  const log = followLog(child);
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  return {
    process: child,
    log,
    running: async () => {
      const line = await until("the proxy runs", () => {
        if (child.exitCode !== null) throw new Error(`the proxy ended with ${child.exitCode}: ${stderr}`);
        return log.find(({ msg }) => msg === "proxy is running");
      });
      return Number(String(line.listen).split(":").at(-1));
    },
    stop: async (signal = "SIGTERM") => {
      const gone = once(child, "exit");
      child.kill(signal);
      await gone;
      return child.exitCode;
    },
  };
}
