/** The admin server: metrics, health and status to read; a few requests that change something, for who has the token. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";
import { checkAuthority, type Refusal } from "./authority.ts";

/** What the server shows and does. */
export interface AdminOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tokenFile: () => string | undefined;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly status: () => { readonly ready: boolean; readonly notReady: readonly string[] };
  /** Reads the configuration again; rejects with what is wrong with it. */
  readonly reload: () => Promise<void>;
  readonly resync: () => void;
  /** Told of trouble with connections, such as no descriptors left; the server goes on. */
  readonly onError: (thrown: unknown) => void;
}

/** A server that listens. */
export interface AdminServer {
  /** `http://host:port`. */
  readonly url: string;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Route = (options: AdminOptions) => Reply | Promise<Reply>;

const READS: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/healthz", () => text(200, "ok\n")],
  ["/readyz", ({ status }) => readiness(status())],
  ["/status", ({ status }) => json(200, status())],
  [
    "/metrics",
    async ({ metrics }) => {
      const { contentType, text: body } = await metrics();
      return { status: 200, body, contentType };
    },
  ],
]);

const CHANGES: ReadonlyMap<string, Route> = new Map<string, Route>([
  [
    "/-/reload",
    async ({ reload }) => {
      await reload();
      return json(200, { done: true });
    },
  ],
  [
    "/-/resync",
    ({ resync }) => {
      resync();
      return json(202, { done: true });
    },
  ],
]);

/**
 * Starts listening.
 *
 * @throws KeyturnError ADMIN_UNAVAILABLE where the address is taken or not this machine's.
 */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 5_000 });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    answer(request, options).then(
      (reply) => send(response, reply),
      (thrown: unknown) => send(response, failure(thrown)),
    );
  });
  const { host, port } = options.listen;
  await listen(server, host, port);
  server.on("error", options.onError);
  const { address, port: actual } = server.address() as AddressInfo;
  const shown = address.includes(":") ? `[${address}]` : address;
  return {
    url: `http://${shown}:${actual}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, options: AdminOptions): Promise<Reply> {
  const pathname = pathOf(request.url ?? "/");
  const read = READS.get(pathname);
  if (read !== undefined) {
    return request.method === "GET" || request.method === "HEAD" ? read(options) : notAllowed("GET, HEAD");
  }
  const change = CHANGES.get(pathname);
  if (change === undefined) return text(404, `there is no ${pathname}\n`);
  if (request.method !== "POST") return notAllowed("POST");
  const refusal = await checkAuthority(request, options.tokenFile());
  return refusal === undefined ? change(options) : refused(refusal);
}

/** The path of a request's target, in either form of RFC 9112 §3.2; `URL` throws on `//`. */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, "").replace(/[?#].*$/s, "");
}

/** RFC 9110 §15.5.6 asks for `Allow`. */
function notAllowed(allow: string): Reply {
  return { ...text(405, `${allow} only\n`), headers: { allow } };
}

/** RFC 9110 §15.5.2 asks for `WWW-Authenticate` with 401. */
function refused({ status, error }: Refusal): Reply {
  const headers = { "www-authenticate": "Bearer" };
  return { ...json(status, { error }), ...(status === 401 ? { headers } : {}) };
}

function readiness({ ready, notReady }: { ready: boolean; notReady: readonly string[] }): Reply {
  return json(ready ? 200 : 503, { ready, notReady });
}

function failure(thrown: unknown): Reply {
  const code = thrown instanceof KeyturnError ? thrown.code : "INTERNAL";
  return json(code === "CONFIG_INVALID" ? 422 : 500, { error: { code, message: messageOf(thrown) } });
}

function text(status: number, body: string): Reply {
  return { status, body };
}

function json(status: number, body: unknown): Reply {
  return {
    status,
    body: `${JSON.stringify(body, null, 2)}\n`,
    contentType: "application/json; charset=utf-8",
  };
}

function send(
  response: ServerResponse,
  { status, body, contentType = "text/plain; charset=utf-8", headers }: Reply,
): void {
  response.writeHead(status, {
    ...headers,
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const why = systemCodeOf(cause) === "EADDRINUSE" ? "it is taken" : messageOf(cause);
      const message = `cannot listen on ${host}:${port} (admin.listen): ${why}`;
      reject(new KeyturnError("ADMIN_UNAVAILABLE", message, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}
