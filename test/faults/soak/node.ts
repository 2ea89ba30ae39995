/** The real daemon, followed by the lines of its log: what became of each bundle is known as soon as it is said. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { spawnKeyturn } from "../../support/daemon.ts";

/** What the log has said of a bundle so far. */
interface Said {
  /** Revision of the content that went live last. */
  readonly live: number;
  /** Revision of the content that was rejected last. */
  readonly rejected: number;
  /** How often it was taken away. */
  readonly removed: number;
}

/** A daemon that runs. */
export interface Node {
  readonly pid: number;
  readonly adminUrl: string;
  /** Lines that say that something went wrong which was not asked for. */
  readonly faults: readonly string[];
  /** Waits until the log has said so of the bundle. Rejects after a minute, and when the daemon ends. */
  until(bundle: string, what: string, isSo: (said: Said) => boolean): Promise<void>;
  /** What it has not been asked of any more is forgotten. */
  forget(bundle: string): void;
  /** Ends it; gives its exit code. */
  stop(): Promise<number | null>;
}

const NOTHING: Said = { live: 0, rejected: 0, removed: 0 };
const DEADLINE_MS = 60_000;

type Line = Readonly<Record<string, unknown>>;

/** Starts it with this configuration file and waits until it runs. */
export async function startNode(configFile: string): Promise<Node> {
  const child = spawnKeyturn(["run", "--config", configFile]);
  const bundles = new Map<string, Said>();
  const faults: string[] = [];
  const waiting = new Set<() => void>();
  const running = new Promise<Line>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the daemon ended with ${code}`)));
    follow(child, (line) => {
      if (line.msg === "keyturn is running") resolve(line);
      if (isFault(line)) faults.push(JSON.stringify(line));
      const bundle = String(line.bundle);
      bundles.set(bundle, afterLine(bundles.get(bundle) ?? NOTHING, line));
      for (const look of [...waiting]) look();
    });
  });
  const { admin, pid } = await running;
  const until: Node["until"] = (bundle, what, isSo) =>
    new Promise((resolve, reject) => {
      const end = (failure?: string) => {
        waiting.delete(look);
        clearTimeout(timer);
        child.off("exit", onExit);
        if (failure === undefined) resolve();
        else reject(new Error(`${bundle}: ${failure} while waiting until ${what}`));
      };
      const look = () => {
        if (isSo(bundles.get(bundle) ?? NOTHING)) end();
      };
      const timer = setTimeout(() => end("timed out"), DEADLINE_MS);
      const onExit = () => end("the daemon ended");
      child.once("exit", onExit);
      waiting.add(look);
      look();
    });
  child.setMaxListeners(0);
  return {
    pid: Number(pid),
    adminUrl: String(admin),
    faults,
    until,
    forget: (bundle) => bundles.delete(bundle),
    stop: () => stop(child),
  };
}

function follow(child: ChildProcess, take: (line: Line) => void): void {
  if (child.stdout) createInterface({ input: child.stdout }).on("line", (text) => take(JSON.parse(text)));
  child.stderr?.pipe(process.stderr);
}

function afterLine(said: Said, { event, outcome, revision, removed }: Line): Said {
  if (event === "reload.finished" && outcome === "live") return { ...said, live: Number(revision) };
  if (event === "bundle.rejected") return { ...said, rejected: Number(revision) };
  if (event === "bundle.deleted" && removed === true) return { ...said, removed: said.removed + 1 };
  return said;
}

/** What is asked for: rejections, ways back with a look that shows why, bundles that go, settings without a token. */
const ASKED = ["bundle.rejected", "bundle.deleted", "rollback.started", "service.looked", "config.warned"];

function isFault({ level, event, outcome }: Line): boolean {
  const isBad = level === "warn" || level === "error" || level === "fatal";
  return isBad && !ASKED.includes(String(event)) && outcome !== "rolledBack";
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
  return child.exitCode;
}
