/** `keyturn support-bundle`: what somebody who helps needs to know, in one gzipped JSON file without secrets. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { namedFiles } from "../config/named-files.ts";
import type { Config } from "../config/schema.ts";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";
import type { Status } from "../observe/status.ts";
import { systemClock } from "../runtime/clock.ts";
import { askDaemon, askText } from "./admin-client.ts";
import { reportOn } from "./check-config.ts";
import type { ConfigOptions } from "./config-file.ts";
import { printError } from "./print.ts";
import { createRedactor } from "./redact.ts";
import { describeLimits, describeMachine, listFiles, listOutput } from "./support-node.ts";

/** What is typed. */
export interface SupportOptions extends ConfigOptions {
  readonly force: boolean;
}

const FORMAT = 1;
const TIMEOUT_MS = 5_000;
const MODE = 0o600;

/** A part of it: what is known, or why nothing is. */
type Section = { readonly missing: string } | unknown;

/** Exit code 0 where it is written, whatever is missing in it; 1 where it cannot be. */
export async function writeSupportBundle(path: string | undefined, options: SupportOptions): Promise<number> {
  if (path === "-" && process.stdout.isTTY) {
    throw new KeyturnError(
      "USAGE",
      "standard output is a terminal, and this is no text: name a file, or use a pipe",
    );
  }
  const now = systemClock.now();
  const { content, node, missing } = await gather(options, now);
  const zipped = gzipSync(`${JSON.stringify(content, null, 1)}\n`);
  const file = path ?? `keyturn-support-${node}-${now.toISOString().replace(/[-:]|\.\d+/g, "")}.json.gz`;
  if (file === "-") process.stdout.write(zipped);
  else await write(file, zipped, options.force);
  for (const { sections, why } of missing) {
    printError(`keyturn: warning: no ${sections.join(", ")} in it: ${why}`);
  }
  if (file !== "-") {
    const hint = `look into it before you send it: gzip -cd ${file} | less`;
    printError(`${file}: ${Math.ceil(zipped.length / 1_024)} KiB; ${hint}`);
  }
  return 0;
}

async function write(file: string, content: Uint8Array, isForced: boolean): Promise<void> {
  // Not written over: what is there may be somebody else's, or a link, and its mode would stay.
  if (isForced) await rm(file, { force: true });
  try {
    await writeFile(file, content, { flag: "wx", mode: MODE });
  } catch (cause) {
    if (systemCodeOf(cause) === "EEXIST") {
      throw new KeyturnError("USAGE", `${file} is there already: name another file, or say --force`, {
        cause,
      });
    }
    throw new KeyturnError("USAGE", `${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

interface Gathered {
  readonly content: unknown;
  readonly node: string;
  /** What could not be had, and why. */
  readonly missing: readonly { readonly sections: readonly string[]; readonly why: string }[];
}

async function gather(options: ConfigOptions, now: Date): Promise<Gathered> {
  const checked = await reportOn(options);
  const config = checked.ok ? checked.config : undefined;
  const sections = {
    ...(await describeMachine()),
    variables: Object.keys(process.env).filter((name) => name.startsWith("KEYTURN_")),
    configuration: checked,
    ...(await (config === undefined ? withoutConfig() : sectionsOf(config))),
  };
  const secrets = config === undefined ? [] : await readSecrets(config);
  const facts = createRedactor(secrets, config).redact({
    format: FORMAT,
    madeAt: now.toISOString(),
    ...sections,
  });
  return { content: facts, node: config?.node ?? "unknown", missing: missingIn(sections) };
}

/** Said once for all sections that are missing for the same reason. */
function missingIn(sections: object): Gathered["missing"] {
  const found = Object.entries(sections).flatMap(([section, content]) =>
    isMissing(content) ? [{ section, why: content.missing }] : [],
  );
  const codeOf = (why: string) => /^[A-Z_]+:/.exec(why)?.[0] ?? why;
  const codes = [...new Set(found.map(({ why }) => codeOf(why)))];
  return codes.map((code) => {
    const alike = found.filter(({ why }) => codeOf(why) === code);
    return { sections: alike.map(({ section }) => section), why: alike[0]?.why ?? code };
  });
}

function withoutConfig(): Record<string, Section> {
  const missing = "the configuration is wrong: keyturn check-config";
  const names = ["files", "output", "limits", "status", "readiness", "history", "metrics", "etcd"];
  return Object.fromEntries(names.map((name) => [name, { missing }]));
}

async function sectionsOf(config: Config): Promise<Record<string, Section>> {
  const { admin, output } = config;
  const status = await orWhyNot(() => read(admin, "/status"));
  const { bundles = [] } = (isMissing(status) ? {} : status) as Partial<Status>;
  return {
    files: await listFiles(namedFiles(config)),
    output: await listOutput(output.dir),
    limits: await describeLimits(output.dir),
    status,
    readiness: await orWhyNot(() => read(admin, "/readyz")),
    history: isMissing(status)
      ? status
      : await Promise.all(bundles.map(({ name }) => orWhyNot(() => read(admin, `/bundles/${name}/history`)))),
    metrics: await orWhyNot(async () => (await askText(admin, "/metrics", TIMEOUT_MS)).split("\n")),
    etcd: await orWhyNot(() => lookAtEtcd(config)),
  };
}

async function read(admin: Config["admin"], path: string): Promise<unknown> {
  const reply = await askDaemon(admin, { method: "GET", path, timeoutMs: TIMEOUT_MS });
  if (reply.kind === "answer") return reply.body;
  throw new Error(`${reply.code}: ${reply.message}`);
}

/** Whether etcd answers whoever asks, by a read of one key that nobody has. No value is read. */
async function lookAtEtcd({ etcd }: Config): Promise<object> {
  const { openKeys } = await import("../source/put.ts");
  const startedAt = systemClock.monotonicMs();
  const { revision } = await openKeys(etcd).read([`${etcd.prefix}-`], AbortSignal.timeout(TIMEOUT_MS));
  return { answers: true, revision, tookMs: Math.round(systemClock.monotonicMs() - startedAt) };
}

/** What stands in secret files, so that it can be looked for: nothing where they cannot be read. */
async function readSecrets(config: Config): Promise<string[]> {
  const files = namedFiles(config).filter(({ isSecret }) => isSecret);
  return Promise.all(files.map(({ file }) => readFile(file, "utf8").catch(() => "")));
}

async function orWhyNot(get: () => Promise<unknown>): Promise<Section> {
  try {
    return await get();
  } catch (thrown) {
    return {
      missing: thrown instanceof KeyturnError ? `${thrown.code}: ${thrown.message}` : messageOf(thrown),
    };
  }
}

function isMissing(found: unknown): found is { readonly missing: string } {
  return (
    typeof found === "object" && found !== null && "missing" in found && typeof found.missing === "string"
  );
}
