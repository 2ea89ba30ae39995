/** The real daemon as a child process, with a configuration file, seen only from outside. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { BundleStatus, Status } from "../../src/observe/status.ts";
import type { Scope } from "./scope.ts";
import { until } from "./wait.ts";

/** The words that run keyturn by Node: what was built, where `npm test` built it: it starts in half the time. Else the sources. */
export const CLI = process.env.KEYTURN_BUILT_CLI
  ? [process.env.KEYTURN_BUILT_CLI]
  : ["--import", import.meta.resolve("tsx"), fileURLToPath(new URL("../../src/cli.ts", import.meta.url))];

/** A line of the daemon's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A daemon that runs. */
export interface TestDaemon {
  readonly process: ChildProcess;
  readonly adminUrl: string;
  readonly outputDir: string;
  readonly configFile: string;
  readonly log: readonly LogLine[];
  status(): Promise<Status>;
  bundle(name: string): Promise<BundleStatus | undefined>;
  /** The value of a metric with exactly these labels; 0 where it is not there. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** Waits until this digest, or any content, is live. */
  untilLive(name: string, digest?: string): Promise<BundleStatus>;
  /** Ends it; gives the exit code, or the signal's name. */
  stop(signal?: NodeJS.Signals): Promise<number | string | null>;
}

/** Runs the keyturn command to its end. */
export async function runKeyturn(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawnKeyturn(args, env);
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/**
 * Starts the keyturn command.
 *
 * @param through Words that run what follows them in the same process, as `nice` and `env` do.
 */
export function spawnKeyturn(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  through: readonly string[] = [],
): ChildProcess {
  const [program = process.execPath, ...words] = [...through, process.execPath, ...CLI, ...args];
  return spawn(program, words, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** What `keyturn.yaml` says, besides an admin port of its own and `output.dir` in the folder. */
export interface DaemonSettings {
  readonly output?: object;
  readonly [key: string]: unknown;
}

/** Writes `keyturn.yaml` into the folder, and says where it and the output folder are. */
export async function writeConfig(
  folder: string,
  settings: DaemonSettings,
): Promise<{ readonly configFile: string; readonly outputDir: string }> {
  const configFile = join(folder, "keyturn.yaml");
  const config = {
    node: "test-node",
    admin: { listen: "127.0.0.1:0" },
    log: { level: "debug" },
    ...settings,
    output: { dir: join(folder, "output"), ...settings.output },
  };
  await writeFile(configFile, stringify(config));
  return { configFile, outputDir: config.output.dir };
}

/** The lines of a daemon's log, growing as it writes them. */
export function followLog({ stdout }: ChildProcess): readonly LogLine[] {
  const log: LogLine[] = [];
  let rest = "";
  stdout?.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    log.push(...lines.map((line) => JSON.parse(line) as LogLine));
  });
  return log;
}

/**
 * Starts a daemon and waits until it listens. It is killed when the test is over.
 *
 * @param env What its environment has besides that of the test.
 * @param through As for {@link spawnKeyturn}.
 */
export async function useDaemon(
  t: Scope,
  folder: string,
  settings: DaemonSettings,
  env: NodeJS.ProcessEnv = {},
  through: readonly string[] = [],
): Promise<TestDaemon> {
  const { configFile, outputDir } = await writeConfig(folder, settings);
  const child = spawnKeyturn(["run", "--config", configFile], env, through);
  t.after(() => void child.kill("SIGKILL"));
  const log = followLog(child);
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  const running = await until("the daemon runs", () => {
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}: ${stderr}`);
    return log.find(({ msg }) => msg === "keyturn is running");
  });
  const adminUrl = String(running.admin);
  const status = async () => (await (await fetch(`${adminUrl}/status`)).json()) as Status;
  const bundle = async (name: string) => (await status()).bundles.find((one) => one.name === name);
  return {
    process: child,
    adminUrl,
    outputDir,
    configFile,
    log,
    status,
    bundle,
    metric: async (name, labels = {}) =>
      readMetric(await (await fetch(`${adminUrl}/metrics`)).text(), name, labels),
    untilLive: (name, digest) =>
      until(`${name} is live`, async () => {
        const found = await bundle(name);
        const isIt = digest === undefined || found?.generation?.digest === digest;
        return found?.live && found.state === "live" && isIt ? found : undefined;
      }),
    stop: async (signal = "SIGTERM") => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode;
      const gone = once(child, "exit");
      child.kill(signal);
      await gone;
      return child.exitCode ?? child.signalCode;
    },
  };
}

function readMetric(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const line = text.split("\n").find((candidate) => {
    const [, found, inside = ""] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(candidate) ?? [];
    return found === name && wanted.every((label) => inside.includes(label));
  });
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ") + 1));
}
