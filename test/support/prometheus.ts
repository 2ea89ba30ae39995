/** A real Prometheus and a real Alertmanager for a test, and the programs that check their files. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { freePorts } from "../../src/dev/etcd.ts";
import type { Scope } from "./scope.ts";
import { runServer } from "./server-process.ts";
import { needTool } from "./tools.ts";

const run = promisify(execFile);

/** Runs a program that checks something in the folder, and gives what it says. Rejects where it finds a fault. */
export async function check(
  program: "promtool" | "amtool",
  words: readonly string[],
  folder: string,
): Promise<string> {
  return (await run(needTool(program), words, { cwd: folder })).stdout;
}

/** What a query gives for one series. */
interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A rule as Prometheus knows it. */
interface KnownRule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly type: "alerting" | "recording";
  readonly alerts?: readonly {
    readonly state: "pending" | "firing";
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

/** A Prometheus that runs. */
export interface TestPrometheus {
  readonly url: string;
  /** Asks for the values of now. */
  query(expression: string): Promise<readonly Sample[]>;
  /** Every rule that is loaded. */
  rules(): Promise<readonly KnownRule[]>;
}

/** Starts a Prometheus in the folder with this configuration; it ends with the test. */
export async function usePrometheus(t: Scope, folder: string, config: object): Promise<TestPrometheus> {
  const [port = 0] = await freePorts(1);
  const home = join(folder, "prometheus");
  const file = join(home, "prometheus.yml");
  const url = `http://127.0.0.1:${port}`;
  await mkdir(home);
  await writeFile(file, stringify(config));
  const words = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(home, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--log.level=warn",
  ];
  await runServer(t, needTool("prometheus"), words, () => isReady(url));
  const ask = async (path: string): Promise<unknown> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as {
      data?: unknown;
      error?: string;
    };
    if (answer.error !== undefined) throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  return {
    url,
    query: async (expression) => {
      const data = (await ask(`query?query=${encodeURIComponent(expression)}`)) as {
        result: { metric: Record<string, string>; value: [number, string] }[];
      };
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    rules: async () => {
      const data = (await ask("rules")) as { groups: { rules: KnownRule[] }[] };
      return data.groups.flatMap(({ rules }) => rules);
    },
  };
}

/** Starts an Alertmanager in the folder with this configuration; it ends with the test. Gives its `host:port`. */
export async function useAlertmanager(t: Scope, folder: string, config: object): Promise<string> {
  const [port = 0] = await freePorts(1);
  const home = join(folder, "alertmanager");
  const file = join(home, "alertmanager.yml");
  await mkdir(home);
  await writeFile(file, stringify(config));
  const words = [
    `--config.file=${file}`,
    `--storage.path=${join(home, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--cluster.listen-address=",
    "--log.level=warn",
  ];
  const { program, cwd } = await placeAlertmanager(home);
  await runServer(t, program, words, () => isReady(`http://127.0.0.1:${port}`), { cwd });
  return `127.0.0.1:${port}`;
}

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Where Debian's Alertmanager has its templates; it takes no other place. */
const TEMPLATES = "/usr/share/prometheus/alertmanager";

/**
 * An Alertmanager that starts. One that was unpacked and not installed does not find its templates: a copy of it gets
 * another path in place of theirs, as long as that one, which is the folder it is started in.
 */
async function placeAlertmanager(
  folder: string,
): Promise<{ readonly program: string; readonly cwd: string }> {
  const program = needTool("prometheus-alertmanager");
  const unpacked = join(dirname(program), "..");
  const cwd = join(unpacked, TEMPLATES);
  if (existsSync(TEMPLATES) || !existsSync(cwd)) return { program, cwd: folder };
  const binary = await readFile(join(unpacked, "usr/bin/prometheus-alertmanager"));
  for (let at = binary.indexOf(TEMPLATES); at !== -1; at = binary.indexOf(TEMPLATES, at + 1))
    binary.write("./".repeat(TEMPLATES.length / 2), at);
  const copy = join(folder, "alertmanager");
  await writeFile(copy, binary, { mode: 0o755 });
  return { program: copy, cwd };
}
