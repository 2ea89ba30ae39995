/** One HTTP request to a local service: bounded in time, redirects not followed, the answer's body not kept. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { systemCodeOf } from "../core/errors.ts";

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
  | { readonly kind: "status"; readonly status: number; readonly retryAfter: string | undefined }
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

/** Sends the request. Never rejects. */
export function post({
  url,
  method,
  headers,
  body,
  timeoutMs,
  socketPath,
}: PostRequest): Promise<PostAnswer> {
  return new Promise((resolve) => {
    const send = url.startsWith("https:") ? requestHttps : requestHttp;
    const signal = AbortSignal.timeout(timeoutMs);
    const request = send(url, {
      method,
      headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
      // A kept connection could be one that the service is about to close.
      agent: false,
      signal,
      ...(socketPath === undefined ? {} : { socketPath }),
    });
    request.on("response", (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      resolve({ kind: "status", status, retryAfter: answered["retry-after"] });
      // The status is all that counts; a body could go on for ever.
      response.destroy();
    });
    request.on("upgrade", ({ statusCode: status = 101 }, socket) => {
      resolve({ kind: "status", status, retryAfter: undefined });
      socket.destroy();
    });
    request.on("error", (error) => {
      const code = systemCodeOf(error) ?? error.name;
      if (signal.aborted) resolve({ kind: "timeout" });
      else resolve({ kind: NOBODY_THERE.has(code) ? "unreachable" : "broken", code });
    });
    request.end(body);
  });
}
