/** One HTTP request to a local service: bounded in time, redirects not followed, the answer's body not kept. */
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { TLSSocket } from "node:tls";
import { systemCodeOf } from "../core/errors.ts";
import { giveNamesOnly } from "../runtime/peer-names.ts";

/** What is sent. */
export interface PostRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  /** A unix socket to send it through; `url` then gives the path and the Host header. */
  readonly socketPath?: string | undefined;
}

/** What came back. `unreachable`: nobody listens; `broken`: somebody did, and hung up. */
export type PostAnswer =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfter?: string | undefined;
      readonly location?: string | undefined;
    }
  | { readonly kind: "timeout" }
  | { readonly kind: "unreachable" | "broken"; readonly code: string };

/** Errors of a service that is not running, or not yet. */
const NOBODY_THERE = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** How a kept connection ends that the service was about to close anyway. */
const HUNG_UP = new Set(["ECONNRESET", "EPIPE"]);
/** An answer's body is read this far, so that its connection can be kept; one that goes on is cut off. */
const MAX_BODY_BYTES = 16 << 10;

/** Sends the request. Never rejects. */
export async function post(request: PostRequest): Promise<PostAnswer> {
  const signal = AbortSignal.timeout(request.timeoutMs);
  let brokeOff: string | undefined;
  for (;;) {
    const answer = await send(request, signal);
    // Nobody listens any more where a moment ago somebody held a connection: it may have ended over this request.
    if (answer.kind === "unreachable" && brokeOff !== undefined) return { kind: "broken", code: brokeOff };
    if (answer.kind !== "stale") return answer;
    brokeOff = answer.code;
  }
}

/** A request that went out on a kept connection, which then broke: nobody may have seen it, so it is sent once more. */
interface Stale {
  readonly kind: "stale";
  readonly code: string;
}

/** One try. */
function send(
  { url, method, headers, body, socketPath }: PostRequest,
  signal: AbortSignal,
): Promise<PostAnswer | Stale> {
  return new Promise((resolve) => {
    const begin = url.startsWith("https:") ? requestHttps : requestHttp;
    const request = begin(url, {
      method,
      headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
      signal,
      ...(socketPath === undefined ? {} : { socketPath }),
    });
    request.on("socket", (socket) => {
      if (socket instanceof TLSSocket) giveNamesOnly(socket);
    });
    request.on("response", (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      const { "retry-after": retryAfter, location } = answered;
      resolve({ kind: "status", status, retryAfter, location });
      drain(response);
    });
    request.on("upgrade", ({ statusCode: status = 101 }, socket) => {
      resolve({ kind: "status", status });
      socket.destroy();
    });
    request.on("error", (error) => {
      const code = systemCodeOf(error) ?? error.name;
      if (signal.aborted) resolve({ kind: "timeout" });
      else if (request.reusedSocket && HUNG_UP.has(code)) resolve({ kind: "stale", code });
      else resolve({ kind: NOBODY_THERE.has(code) ? "unreachable" : "broken", code });
    });
    request.end(body);
  });
}

/** The status is all that counts. */
function drain(response: IncomingMessage): void {
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) response.destroy();
  });
}
