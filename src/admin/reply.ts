/** Answers: what is sent back, and which status says it. */
import type { ServerResponse } from "node:http";
import { type ErrorCode, KeyturnError, messageOf } from "../core/errors.ts";
import type { AdminRefusal } from "../core/events.ts";

/** An answer before it is sent. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why a request is not carried out, before anything was done. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 413;
  readonly error: { readonly code: string; readonly message: string };
}

/** Why a request is not one that may be made, by whoever made it. */
export interface Denial extends Refusal {
  readonly reason: AdminRefusal;
}

const REFUSAL_CODES: Readonly<Record<Refusal["status"], string>> = {
  400: "REQUEST_INVALID",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  413: "REQUEST_TOO_LARGE",
};

const STATUS_BY_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  CONFIG_INVALID: 422,
  BUNDLE_UNKNOWN: 404,
  GENERATION_UNKNOWN: 404,
  NOTHING_TO_DO: 409,
};

export function refuse(status: Refusal["status"], message: string): Refusal {
  return { status, error: { code: REFUSAL_CODES[status], message } };
}

export function deny(status: 401 | 403, reason: AdminRefusal, message: string): Denial {
  return { ...refuse(status, message), reason };
}

export function text(status: number, body: string): Reply {
  return { status, body };
}

export function json(status: number, body: unknown): Reply {
  return {
    status,
    body: `${JSON.stringify(body, null, 2)}\n`,
    contentType: "application/json; charset=utf-8",
  };
}

/** RFC 9110 §15.5.6 asks for `Allow`. */
export function notAllowed(allow: string): Reply {
  return { ...text(405, `${allow} only\n`), headers: { allow } };
}

/** RFC 9110 §15.5.2 asks for `WWW-Authenticate` with 401. */
export function refused({ status, error }: Refusal): Reply {
  const headers = { "www-authenticate": "Bearer" };
  return { ...json(status, { error }), ...(status === 401 ? { headers } : {}) };
}

/** The answer to a request during which something was thrown. */
export function failure(thrown: unknown): Reply {
  if (!(thrown instanceof KeyturnError)) {
    return json(500, { error: { code: "INTERNAL", message: messageOf(thrown) } });
  }
  const { code, message } = thrown;
  return json(STATUS_BY_CODE[code] ?? 500, { error: { code, message } });
}

export function send(
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
