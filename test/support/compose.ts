/** The compose stack, the Dockerfile and what they name, read for the tests. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { loadConfig } from "../../src/config/load.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const CONFIG = "deploy/compose/keyturn.yaml";

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "a DNS label (RFC 1123 §2.1)");
const seconds = z.string().regex(/^\d+s$/);
const words = z.array(z.string()).default([]);
const mount = z.strictObject({
  type: z.enum(["bind", "volume"]),
  source: z.string(),
  target: z.string().startsWith("/"),
  read_only: z.boolean().default(false),
  bind: z.strictObject({ create_host_path: z.boolean() }).optional(),
});
const service = z.strictObject({
  build: z.string().optional(),
  image: z.string(),
  pull_policy: z.enum(["build", "never"]).optional(),
  restart: z.literal("unless-stopped"),
  init: z.boolean().optional(),
  stop_grace_period: seconds.optional(),
  entrypoint: words,
  command: words,
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z
    .record(z.string(), z.strictObject({ condition: z.enum(["service_started", "service_healthy"]) }))
    .default({}),
  volumes: z.array(mount).default([]),
  networks: words,
  secrets: words,
  configs: words,
  tmpfs: words,
  ports: words,
  read_only: z.boolean().default(false),
  cap_drop: words,
  security_opt: words,
  healthcheck: z
    .strictObject({
      test: z.array(z.string()),
      interval: seconds,
      timeout: seconds,
      start_period: seconds.optional(),
      retries: z.int(),
    })
    .optional(),
});
const declared = z.record(z.string(), z.null()).default({});
/** What the stack uses of the Compose specification: a setting that is not here was misspelt, or belongs here. */
export const composeSchema = z.strictObject({
  name,
  "x-hardened": z.unknown(),
  services: z.record(name, service),
  volumes: declared,
  networks: declared,
  secrets: declared,
  configs: declared,
});
export const prometheusSchema = z.object({
  scrape_configs: z.array(
    z.object({ job_name: z.string(), static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
  ),
});

export async function readLines(file: string): Promise<string[]> {
  const text = await readFile(join(ROOT, file), "utf8");
  return text.split("\n").filter((line) => line.trim() !== "");
}

export async function readYaml(file: string): Promise<unknown> {
  return parse(await readFile(join(ROOT, file), "utf8"), { merge: true });
}

export async function readStack(): Promise<z.output<typeof composeSchema>> {
  return composeSchema.parse(await readYaml("docker-compose.yml"));
}

export async function serviceOf(wanted: string): Promise<z.output<typeof service>> {
  const found = (await readStack()).services[wanted];
  assert.ok(found, `there is no service ${wanted}`);
  return found;
}

export async function readMounts(): Promise<z.output<typeof mount>[]> {
  return Object.values((await readStack()).services).flatMap(({ volumes }) => volumes);
}

/** keyturn's configuration with the environment it has in the stack. */
export async function readConfig() {
  return loadConfig({ file: join(ROOT, CONFIG), env: (await serviceOf("keyturn")).environment, flags: {} });
}

export function isPinned(image: string): boolean {
  return /^[a-z0-9./-]+:v?\d+\.\d+\.\d+$/.test(image);
}

/** The instructions of the Dockerfile, continued lines joined. */
export async function readInstructions(): Promise<{ word: string; rest: string }[]> {
  const lines = (await readLines("Dockerfile")).filter((line) => !line.startsWith("#"));
  const joined = lines.join("\n").replaceAll(/\\\n\s*/g, "");
  return joined.split("\n").map((line) => {
    const [, word = "", rest = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    return { word, rest };
  });
}

export async function readLastStage() {
  const instructions = await readInstructions();
  return instructions.slice(instructions.findLastIndex(({ word }) => word === "FROM"));
}

export async function readStages(): Promise<{ from: string; as: string; text: string }[]> {
  const stages: { from: string; as: string; text: string }[] = [];
  for (const { word, rest } of await readInstructions()) {
    const [from = "", , as = ""] = rest.split(" ");
    if (word === "FROM") stages.push({ from, as, text: "" });
    const last = stages.at(-1);
    if (last !== undefined) last.text += `${word} ${rest}\n`;
  }
  assert.ok(stages.length > 1);
  return stages;
}

export async function readCopies(): Promise<{ from: string | undefined; sources: string[] }[]> {
  const copies = (await readInstructions()).filter(({ word }) => word === "COPY" || word === "ADD");
  return copies.map(({ rest }) => {
    const paths = rest.split(" ").filter((part) => !part.startsWith("--"));
    return { from: /--from=(\S+)/.exec(rest)?.[1], sources: paths.slice(0, -1) };
  });
}
