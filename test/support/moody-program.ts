/**
 * The program of a service that takes hooks and misbehaves as `MOOD` says, when it is told of a rotation.
 *
 * It reads `tls.pem` of the current generation of `BUNDLE_DIR`, serves it on `TLS_PORT`, and takes hooks on `HOOK_PORT`.
 * What it does is real: a process that exits, a request that is never answered, a port on which nobody listens.
 */
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const {
  BUNDLE_DIR = "",
  TLS_PORT = "",
  HOOK_PORT = "",
  MOOD = "good",
  OTHER_PEM = "",
  FIRST_PEM = "",
} = process.env;
/** How long nobody listens in the mood `late`. */
const LATE_MS = 3_000;

let serving: Server | undefined;

/** In the mood `dies` it can live with the first certificate only, whenever it is started. */
function dieOfOthers(pem: Buffer): void {
  if (MOOD !== "dies") return;
  if (!existsSync(FIRST_PEM)) writeFileSync(FIRST_PEM, pem, { mode: 0o600 });
  else if (!readFileSync(FIRST_PEM).equals(pem)) process.exit(1);
}

async function serve(pem: Buffer): Promise<void> {
  dieOfOthers(pem);
  const options = { key: pem, cert: pem };
  if (serving !== undefined) {
    serving.setSecureContext(options);
    return;
  }
  serving = createServer(options, (_request, response) => response.end("ok\n"));
  await listen(serving, TLS_PORT);
}

function current(): Buffer {
  return readFileSync(join(realpathSync(join(BUNDLE_DIR, "current")), "tls.pem"));
}

async function listen(server: Server | ReturnType<typeof createHttpServer>, port: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(port), "127.0.0.1", resolve);
  });
}

/** What becomes of a hook: whether it is answered. */
const moods: Readonly<Record<string, () => Promise<boolean>>> = {
  good: async () => {
    await serve(current());
    return true;
  },
  /** Says yes, and goes on as before. */
  deaf: async () => true,
  /** Takes a certificate of nobody's. */
  third: async () => {
    await serve(readFileSync(OTHER_PEM));
    return true;
  },
  dies: async () => {
    await serve(current());
    return true;
  },
  hangs: async () => false,
  /** Says yes, and is away for a while. */
  late: async () => {
    serving?.closeAllConnections();
    serving?.close();
    serving = undefined;
    void sleep(LATE_MS).then(() => serve(current()));
    return true;
  },
};

const hooks = createHttpServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => {
    body += chunk;
  });
  request.on("end", async () => {
    const { reason } = (JSON.parse(body) as { data: { reason: string } }).data;
    const isFirst = serving === undefined && MOOD !== "late";
    const mood = isFirst || reason === "rolledBack" ? moods.good : moods[MOOD];
    if (await mood?.()) response.writeHead(204).end();
  });
});

process.on("disconnect", () => process.exit(0));
if (existsSync(join(BUNDLE_DIR, "current", "tls.pem"))) await serve(current());
await listen(hooks, HOOK_PORT);
process.send?.("listening");
