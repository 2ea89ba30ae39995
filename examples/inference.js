/**
 * An inference server, without a model: tokens stream over HTTP/1.1 and HTTP/2, and its certificate turns under them.
 *
 *     GET /                  ok
 *     GET /stream?tokens=N   N tokens as server-sent events; 503 where too many stream already
 *
 * Environment: `BUNDLE_DIR`; `HTTPS_LISTEN` and `HOOK_LISTEN` (host:port); `HOOK_SECRET_FILE` (else hooks are not proven);
 * `SERVER_NAME` (a certificate that is not for it is refused); `MAX_STREAMS` at the same time.
 */
import { createSecureServer } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { followBundle, hotMetrics, hotTls, reloadHook } from "keyturn";
import { Counter, Registry } from "prom-client";
import { factsOf, say, sayTurns } from "./lines.js";
import { onlyFor } from "./own-name.js";
import { listen, openPlainPort } from "./plain-port.js";

const {
  BUNDLE_DIR = "/var/lib/keyturn/inference",
  HTTPS_LISTEN = "127.0.0.1:8443",
  HOOK_LISTEN = "127.0.0.1:8000",
  HOOK_SECRET_FILE: secretFile,
  SERVER_NAME,
  MAX_STREAMS = "1000",
} = process.env;
const WORDS = ["keys", "turn", "while", "tokens", "stream", "on"];
const TOKEN_EVERY_MS = 20;

const registry = new Registry();
const requests = new Counter({
  name: "http_requests_total",
  help: "Requests that were answered, by status.",
  labelNames: ["status"],
  registers: [registry],
});
let streams = 0;

async function serve() {
  // 1. The first bundle, however long it takes to come.
  const source = await followBundle(BUNDLE_DIR, { firstWithinMs: Number.POSITIVE_INFINITY });
  sayTurns(source);
  source.use(onlyFor(SERVER_NAME));

  // 2. A server without a certificate, which gets one, and each one after it.
  const server = createSecureServer({ allowHTTP1: true }, answer);
  hotTls(server, source, { tls: { minVersion: "TLSv1.2" } });
  say("serving", { port: await listen(server, HTTPS_LISTEN), ...factsOf(source.current) });

  // 3. What the plain port answers with.
  hotMetrics(registry, { sources: [source], servers: [server] });
  return { source, registry, hook: reloadHook(source, secretFile ? { secretFile } : { unsigned: true }) };
}

/**
 * @param {import("node:http2").Http2ServerRequest} request
 * @param {import("node:http2").Http2ServerResponse} response
 */
function answer(request, response) {
  response.on("close", () => requests.inc({ status: response.statusCode }));
  const { pathname, searchParams } = new URL(request.url, "https://localhost");
  if (pathname === "/") response.end("ok\n");
  else if (pathname === "/stream") streamTokens(response, Number(searchParams.get("tokens") ?? WORDS.length));
  else response.writeHead(404).end();
}

/**
 * @param {import("node:http2").Http2ServerResponse} response
 * @param {number} count
 */
async function streamTokens(response, count) {
  if (streams >= Number(MAX_STREAMS)) {
    response.writeHead(503).end();
    return;
  }
  let isGone = false;
  streams++;
  response.on("close", () => {
    isGone = true;
    streams--;
  });
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (let at = 0; at < count && !isGone; at++) {
    response.write(`id: ${at}\ndata: ${WORDS[at % WORDS.length]}\n\n`);
    await sleep(TOKEN_EVERY_MS);
  }
  response.end("data: [DONE]\n\n");
}

process.on("SIGTERM", () => process.exit(0));

const serving = serve();
await openPlainPort(HOOK_LISTEN, serving);
await serving;
