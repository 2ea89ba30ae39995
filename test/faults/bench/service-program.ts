/**
 * The program of a service under test: it serves several bundles by their server names, takes hooks, and tells its
 * parent of each with what it found on disk at that moment.
 *
 * Environment: `BUNDLES` (folders, separated by colons), `TLS_PORT`, `HOOK_PORT`. The parent sends a {@link Mood}.
 */
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { createServer as createHttpServer, type ServerResponse } from "node:http";
import { basename, join } from "node:path";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { createSecureContext, createServer, type SecureContext } from "node:tls";
import { messageOf } from "../../../src/core/errors.ts";
import { serverNameOf } from "./content.ts";

/** What it does with a hook: take it; take it late; be busy; refuse; or say yes and go on as before. */
export type Mood = "good" | "slow" | "busy" | "refuses" | "deaf";

/** A hook as it came. */
export interface HookSeen {
  readonly bundle: string;
  readonly digest: string;
  readonly reason: string;
  /** The common name of the leaf. */
  readonly mark: string;
  /** Paths that the hook names, or that belong to its generation, and that are not there. */
  readonly absent: readonly string[];
  /** The status it was answered with. */
  readonly status: number;
}

interface HookData extends Omit<HookSeen, "absent" | "status" | "mark"> {
  readonly generation: string;
  readonly leaf: { readonly subject: string } | null;
  readonly paths: Readonly<Record<string, string | null>>;
}

const SLOW_MS = 1_500;
const { BUNDLES = "", TLS_PORT = "", HOOK_PORT = "" } = process.env;
const contexts = new Map<string, SecureContext>();
let mood: Mood = "good";

function load(folder: string): void {
  const pem = readFileSync(join(join(folder, readlinkSync(join(folder, "current"))), "tls.pem"));
  contexts.set(serverNameOf(basename(folder)), createSecureContext({ key: pem, cert: pem }));
}

function absentOf({ paths, generation }: HookData): string[] {
  const named = Object.values(paths).filter((path) => path !== null);
  const own = join(paths.dir ?? "", ".generations", generation);
  return [...named, own].filter((path) => !existsSync(path));
}

/** The status to answer with, after what there was to do. */
async function take({ paths, leaf }: HookData): Promise<number> {
  if (mood === "busy") return 503;
  if (mood === "refuses") return 422;
  if (mood === "deaf") return 204;
  if (mood === "slow") await sleep(SLOW_MS);
  if (leaf !== null) load(paths.dir ?? "");
  return 204;
}

async function answer(body: string, response: ServerResponse): Promise<void> {
  const { data } = JSON.parse(body) as { readonly data: HookData };
  const missing = absentOf(data);
  const status = await take(data);
  await nextTurn();
  // Whoever asked this gave up long ago, where this process was frozen meanwhile: files may have gone since.
  const absent = response.destroyed ? [] : missing;
  const { bundle, digest, reason, leaf } = data;
  const mark = leaf?.subject.replace(/^CN=/, "") ?? "";
  const seen: HookSeen = { bundle, digest, reason, mark, absent, status };
  process.send?.(seen);
  response.writeHead(status).end();
}

const hooks = createHttpServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => {
    body += chunk;
  });
  request.on("end", () => {
    answer(body, response).catch((thrown) => response.writeHead(500).end(messageOf(thrown)));
  });
});
const server = createServer(
  { SNICallback: (name, done) => done(null, contexts.get(name)) },
  (socket) => void socket.on("error", () => undefined).end(),
);
server.on("tlsClientError", () => undefined);

process.on("message", (wanted) => {
  mood = wanted as Mood;
});
process.on("disconnect", () => process.exit(0));
for (const folder of BUNDLES.split(":")) if (existsSync(join(folder, "current", "tls.pem"))) load(folder);
server.listen(Number(TLS_PORT), "127.0.0.1");
hooks.listen(Number(HOOK_PORT), "127.0.0.1", () => process.send?.("listening"));
