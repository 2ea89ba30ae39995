/**
 * A gRPC service with server streaming and mutual TLS, and its client: both turn their certificate under live streams.
 *
 *     node grpc.js         serves
 *     node grpc.js call    calls it over and over, and says what became of each call
 *
 * Environment: `BUNDLE_DIR`; `SERVER_NAME`, the name of the service. To serve: `GRPC_LISTEN` and `HOOK_LISTEN` (host:port),
 * `HOOK_SECRET_FILE` (else hooks are not proven). To call: `GRPC_TARGET` (host:port), `TOKENS` of one answer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { followBundle, hotCredentials, hotMetrics, reloadHook } from "keyturn";
import { Registry } from "prom-client";
import { factsOf, say, sayTurns } from "./lines.js";
import { onlyFor } from "./own-name.js";
import { openPlainPort } from "./plain-port.js";

const {
  BUNDLE_DIR = "/var/lib/keyturn/inference",
  GRPC_LISTEN = "127.0.0.1:8444",
  GRPC_TARGET = GRPC_LISTEN,
  HOOK_LISTEN = "127.0.0.1:8001",
  HOOK_SECRET_FILE: secretFile,
  SERVER_NAME,
  TOKENS = "50",
} = process.env;
const WORDS = ["keys", "turn", "while", "tokens", "stream", "on"];
const TOKEN_EVERY_MS = 20;
const PAUSE_MS = 100;

/** Messages are JSON: no code has to be generated for this. */
const toBytes = (/** @type {object} */ message) => Buffer.from(JSON.stringify(message));
const fromBytes = (/** @type {Buffer} */ bytes) => JSON.parse(bytes.toString());
/** @satisfies {grpc.ServiceDefinition} */
const definition = {
  generate: {
    path: "/keyturn.example.Inference/Generate",
    requestStream: false,
    responseStream: true,
    requestSerialize: toBytes,
    requestDeserialize: fromBytes,
    responseSerialize: toBytes,
    responseDeserialize: fromBytes,
  },
};

async function serve() {
  const source = await followBundle(BUNDLE_DIR, { firstWithinMs: Number.POSITIVE_INFINITY });
  sayTurns(source);
  source.use(onlyFor(SERVER_NAME));

  // Clients have to present a certificate of the bundle's own authorities, which its CRLs do not revoke.
  const credentials = hotCredentials(source).grpcServer(grpc, { requireClientCertificate: true });
  const server = new grpc.Server();
  server.addService(definition, { generate });
  const port = await promisify(server.bindAsync.bind(server))(GRPC_LISTEN, credentials);
  say("serving", { port, ...factsOf(source.current) });

  const registry = new Registry();
  hotMetrics(registry, { sources: [source] });
  return { source, registry, hook: reloadHook(source, secretFile ? { secretFile } : { unsigned: true }) };
}

/** @param {grpc.ServerWritableStream<{ tokens: number }, { id: number, token: string | undefined }>} call */
async function generate(call) {
  for (let id = 0; id < call.request.tokens && !call.cancelled; id++) {
    call.write({ id, token: WORDS[id % WORDS.length] });
    await sleep(TOKEN_EVERY_MS);
  }
  call.end();
}

async function callOverAndOver() {
  const source = await followBundle(BUNDLE_DIR, { firstWithinMs: Number.POSITIVE_INFINITY });
  sayTurns(source);
  const hot = hotCredentials(source);
  const { path } = definition.generate;
  const client = new grpc.Client(GRPC_TARGET, hot.grpcChannel(grpc), {
    // Calls after a swap go over a connection that was made after it; without this, the connection stays.
    ...hot.grpcClientOptions(grpc),
    ...(SERVER_NAME && { "grpc.ssl_target_name_override": SERVER_NAME }),
  });
  for (;;) {
    try {
      let text = "";
      const call = client.makeServerStreamRequest(path, toBytes, fromBytes, { tokens: Number(TOKENS) });
      for await (const { token } of call) text += `${token} `;
      say("answered", { text, ...factsOf(source.current) });
    } catch (thrown) {
      say("failed", { message: String(thrown), ...factsOf(source.current) });
    }
    await sleep(PAUSE_MS);
  }
}

process.on("SIGTERM", () => process.exit(0));

if (process.argv[2] === "call") await callOverAndOver();
else {
  const serving = serve();
  await openPlainPort(HOOK_LISTEN, serving);
  await serving;
}
