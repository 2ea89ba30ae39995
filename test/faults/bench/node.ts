/** The node under test: the real daemon, started again each time a fault has ended it, and seen from outside only. */
import type { Status } from "../../../src/observe/status.ts";
import { type TestDaemon, useDaemon } from "../../support/daemon.ts";
import { childrenOf } from "../../support/process.ts";
import type { Scope } from "../../support/scope.ts";

/** The node. */
export interface NodeUnderTest {
  readonly outputDir: string;
  /** Ends of the daemon that nobody asked for, in words. */
  readonly exits: readonly string[];
  /** How often it was started. */
  readonly starts: () => number;
  /** Process of the daemon; 0 where none runs. */
  readonly pid: () => number;
  kill(): Promise<void>;
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>;
  /** Starts it, and waits until it says that it runs. */
  start(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Undefined where the daemon does not answer. */
  status(): Promise<Status | undefined>;
  /**
   * The digest of the last reload that the daemon, since its start, said has ended, where that one went live. One that was
   * broken off for newer content may have come as far as a service: what was live before is then told anew, rightly.
   */
  lastLive(bundle: string): string | undefined;
  /** Whether `/readyz` says so. */
  isReady(): Promise<boolean>;
  /** Processes that the daemon has started. */
  children(): number[];
}

const ANSWER_TIMEOUT_MS = 2_000;

/** Starts it with these settings; it is ended when the run is over. */
export async function useNode(scope: Scope, folder: string, settings: object): Promise<NodeUnderTest> {
  const exits: string[] = [];
  let [starts, isExpected] = [0, false];
  const launch = async (): Promise<TestDaemon> => {
    starts++;
    isExpected = false;
    const started = await useDaemon(scope, folder, { log: { level: "info" }, ...settings });
    // Before the daemon is ended, because the run is over.
    scope.after(() => {
      isExpected = true;
    });
    started.process.once("exit", (code, signal) => {
      if (isExpected) return;
      const last = started.log.at(-1);
      exits.push(`it ended with ${code ?? signal}; its last word: ${JSON.stringify(last)}`);
    });
    return started;
  };
  const get = async (path: string) => {
    try {
      return await fetch(daemon.adminUrl + path, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    } catch {
      // It is down or stopped by a fault: the judge asks again.
      return undefined;
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    isExpected = true;
    await daemon.stop(signal);
  };
  let daemon = await launch();
  return {
    outputDir: daemon.outputDir,
    exits,
    starts: () => starts,
    pid: () => (daemon.process.exitCode === null ? (daemon.process.pid ?? 0) : 0),
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    start: async () => {
      daemon = await launch();
    },
    signal: (signal) => void daemon.process.kill(signal),
    status: async () => {
      const answer = await get("/status");
      try {
        return (await answer?.json()) as Status | undefined;
      } catch {
        return undefined;
      }
    },
    lastLive: (bundle) => {
      const line = daemon.log.findLast((one) => one.event === "reload.finished" && one.bundle === bundle);
      return line?.msg === "bundle is live" ? String(line.digest) : undefined;
    },
    isReady: async () => (await get("/readyz"))?.ok ?? false,
    children: () => childrenOf(daemon.process.pid ?? 0),
  };
}
