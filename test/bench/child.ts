/** Child processes that are measured: each is the head of a group of its own, and nothing of the group outlives it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";

/** A process that runs. */
export interface Child {
  readonly pid: number;
  /** Asks it to end, and kills what is left of the group after ten seconds. */
  stop(): Promise<void>;
  /** Throws with the end of its log where it has ended by itself. */
  check(): void;
}

const STOP_TIMEOUT_MS = 10_000;
const SHOWN_LINES = 20;
/** Settings of the user's own shell must not change what is measured. */
const NOT_INHERITED = /^(keyturn|etcdctl|confd)_|_proxy$/i;

/** Starts a process; what it prints goes to `logFile`, as under a service manager. */
export function startChild(
  argv: readonly [string, ...string[]],
  logFile: string,
  env: NodeJS.ProcessEnv = {},
): Child {
  const [program, ...words] = argv;
  const inherited = Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name));
  const log = openSync(logFile, "a", 0o600);
  const child = spawn(program, words, {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  return {
    pid: child.pid ?? 0,
    stop: () => stop(child),
    check: () => {
      if (failure !== undefined) throw failure;
      if (!hasEnded(child)) return;
      const tail = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-SHOWN_LINES).join("\n");
      throw new Error(`${argv.join(" ")} ended with ${child.exitCode ?? child.signalCode}:\n${tail}`);
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  if (!hasEnded(child)) {
    const gone = once(child, "exit");
    const timer = setTimeout(() => killGroup(child.pid ?? 0), STOP_TIMEOUT_MS);
    child.kill("SIGTERM");
    await gone;
    clearTimeout(timer);
  }
  killGroup(child.pid);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (thrown) {
    // Nobody is left in the group, which is as it should be.
    if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown;
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
