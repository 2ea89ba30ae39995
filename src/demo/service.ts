/**
 * A sample HTTPS service that takes keyturn's hook: a process of its own, for the demo and the compose stack.
 *
 * It reads the combined file of one generation, swaps the certificate under live connections, and answers the hook
 * only when new connections get the new one.
 *
 * Environment: `BUNDLE_DIR`, `HTTPS_LISTEN` and `HOOK_LISTEN` (host:port), `HOOK_SECRET_FILE` and `SERVER_NAME` (optional:
 * a certificate without that name is refused).
 */
import { timingSafeEqual, X509Certificate } from "node:crypto";
import { access, readFile, realpath } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer, type Server } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { join } from "node:path";
import { Secret } from "../core/secret.ts";
import { decodeWebhookSecret, webhookHeaders } from "../notify/webhook.ts";
import { systemClock } from "../runtime/clock.ts";
import type { ServiceMessage } from "./messages.ts";

const TOKENS = ["certificates", "turn", "while", "tokens", "stream", "on"];
const TOKEN_EVERY_MS = 50;
const MAX_HOOK_BYTES = 64 << 10;

const {
  BUNDLE_DIR = "",
  HTTPS_LISTEN = "127.0.0.1:0",
  HOOK_LISTEN = "127.0.0.1:0",
  HOOK_SECRET_FILE,
  SERVER_NAME,
} = process.env;

/** What is used of a hook's body. */
interface Hook {
  readonly data: { readonly digest: string; readonly leaf: { readonly fingerprint256: string } };
}

let serving: Server | undefined;

/**
 * Loads what is current, and says whether it is for this service. The link is resolved once, so that key and certificate
 * are of one generation.
 */
async function loadBundle(): Promise<boolean> {
  const generation = await realpath(join(BUNDLE_DIR, "current"));
  const pem = await readFile(join(generation, "tls.pem"));
  const isOurs = SERVER_NAME === undefined || new X509Certificate(pem).checkHost(SERVER_NAME) !== undefined;
  if (!isOurs) return false;
  // The full set each time: what is left out here would be dropped from the running server.
  const options = { key: pem, cert: pem, minVersion: "TLSv1.2" } as const;
  if (serving === undefined) {
    serving = createHttpsServer(options, serveInference);
    const address = await listen(serving, HTTPS_LISTEN);
    tell({ kind: "serving", port: address.port });
  } else {
    serving.setSecureContext(options);
  }
  return true;
}

function serveInference(request: IncomingMessage, response: ServerResponse): void {
  if (request.url !== "/stream") {
    response.end("ok\n");
    return;
  }
  streamTokens(response).catch((thrown) => response.destroy(thrown));
}

async function streamTokens(response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const token of TOKENS) {
    response.write(`data: ${token}\n\n`);
    await systemClock.sleep(TOKEN_EVERY_MS, gone.signal);
  }
  response.end();
}

async function takeHook(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const atMs = performance.timeOrigin + performance.now();
  const body = await readBody(request);
  if (!(await isSigned(request, body))) {
    response.writeHead(401).end("the signature is not right\n");
    return;
  }
  const { data } = JSON.parse(body) as Hook;
  if (!(await loadBundle())) {
    response.writeHead(422).end(`the certificate is not for ${SERVER_NAME}\n`);
    return;
  }
  tell({ kind: "hook", digest: data.digest, fingerprint256: data.leaf.fingerprint256, atMs });
  response.writeHead(204).end();
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_HOOK_BYTES) throw new Error("the hook is too large");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Standard Webhooks: the same signature has to come out of the same id, time and body. */
async function isSigned({ headers }: IncomingMessage, body: string): Promise<boolean> {
  if (HOOK_SECRET_FILE === undefined) return true;
  const secret = decodeWebhookSecret(await readFile(HOOK_SECRET_FILE, "utf8"));
  if (secret === undefined) return false;
  const sentAt = new Date(Number(headers["webhook-timestamp"]) * 1000);
  const expected = webhookHeaders(String(headers["webhook-id"]), body, sentAt, new Secret(secret));
  const [given, right] = [String(headers["webhook-signature"]), expected["webhook-signature"] ?? ""].map(
    Buffer.from,
  );
  return (
    given !== undefined &&
    right !== undefined &&
    given.length === right.length &&
    timingSafeEqual(given, right)
  );
}

async function listen(server: NetServer, address: string): Promise<AddressInfo> {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(port), host, resolve);
  });
  return server.address() as AddressInfo;
}

/** Says something to the demo, where this process is its child. */
function tell(message: ServiceMessage): void {
  process.send?.(message);
}

// A child of the demo ends with it, however that ended.
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));

const hooks = createHttpServer((request, response) => {
  takeHook(request, response).catch((thrown: unknown) => response.writeHead(500).end(`${thrown}\n`));
});
const { port } = await listen(hooks, HOOK_LISTEN);
const isThere = await access(join(BUNDLE_DIR, "current", "tls.pem")).then(
  () => true,
  () => false,
);
if (isThere) await loadBundle();
tell({ kind: "listening", port });
