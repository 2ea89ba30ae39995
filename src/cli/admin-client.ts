/** Asks the daemon of this node over its admin address; what changes something brings the token. */
import { readFile } from "node:fs/promises";
import { type RequestOptions, request } from "node:http";
import { text as readText } from "node:stream/consumers";
import type { Config } from "../config/schema.ts";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";
import { print, printError } from "./print.ts";
import { plain } from "./table.ts";

/** One request. */
export interface AdminRequest {
  /** `POST` brings the token of `admin.tokenFile`. */
  readonly method: "GET" | "POST";
  /** Such as `/status`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
  readonly timeoutMs: number;
}

/** What the daemon answered: facts, or why it does not do it. */
export type AdminReply =
  | { readonly kind: "answer"; readonly body: unknown }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

/**
 * Asks.
 *
 * @throws KeyturnError DAEMON_UNREACHABLE, or CONFIG_INVALID where the token cannot be read.
 */
export async function askDaemon(
  { listen, tokenFile }: Config["admin"],
  { method, path, body, timeoutMs }: AdminRequest,
): Promise<AdminReply> {
  const url = `http://${hostOf(listen.host)}:${listen.port}${path}`;
  const token = method === "POST" && tokenFile !== undefined ? await readToken(tokenFile) : undefined;
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  const signal = AbortSignal.timeout(timeoutMs);
  const sent = body === undefined ? "" : JSON.stringify(body);
  try {
    return readReply(url, await exchange(url, { method, headers, signal, agent: false }, sent));
  } catch (thrown) {
    if (thrown instanceof KeyturnError) throw thrown;
    throw unreachable(url, signal.aborted ? `not within ${timeoutMs / 1_000} s` : reasonOf(thrown), thrown);
  }
}

/** Says why the daemon does not do it, and what to do about it: on standard error, and as JSON where that is wanted. */
export function explainRefusal(
  { code, message }: Extract<AdminReply, { readonly kind: "refused" }>,
  { tokenFile }: Config["admin"],
  isJson: boolean | undefined,
): void {
  if (isJson) print(JSON.stringify({ error: { code, message } }, null, 2));
  printError(`keyturn: ${code}: ${plain(message)}`);
  if ((code === "UNAUTHORIZED" || code === "FORBIDDEN") && tokenFile === undefined) {
    printError(
      "  no token was sent: set admin.tokenFile, or --admin-token-file, to the file the daemon uses",
    );
  }
}

/** One exchange. Not by `fetch`: that refuses ports browsers do not like, and gives up after five minutes. */
function exchange(url: string, options: RequestOptions, body: string): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const asked = request(url, options, async (response) => {
      try {
        resolve({ status: response.statusCode ?? 0, text: await readText(response) });
      } catch (thrown) {
        reject(thrown);
      }
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

interface Exchanged {
  readonly status: number;
  readonly text: string;
}

/** A redirection is no answer: the token goes nowhere but to the address that is configured. */
function readReply(url: string, { status, text }: Exchanged): AdminReply {
  const body = status >= 300 && status < 400 ? undefined : parseJson(text);
  if (typeof body !== "object" || body === null) {
    const message = `what answers on ${url} (${status}) is no keyturn that knows this request`;
    throw new KeyturnError("DAEMON_UNREACHABLE", `${message}: look at admin.listen and at its version`);
  }
  if (!("error" in body)) return { kind: "answer", body };
  const error = body.error as { readonly code?: unknown; readonly message?: unknown } | null;
  return { kind: "refused", code: String(error?.code), message: String(error?.message) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(url: string, why: string, cause: unknown): KeyturnError {
  const hint = "is keyturn running, and is admin.listen the same here and there?";
  return new KeyturnError("DAEMON_UNREACHABLE", `no daemon answers on ${url}: ${why}; ${hint}`, { cause });
}

/** Where a name has several addresses, the error of them all has no message. */
function reasonOf(thrown: unknown): string {
  return messageOf(thrown) || (systemCodeOf(thrown) ?? "it failed");
}

/** The token is not in the message: a file that holds something else may hold another secret. */
async function readToken(tokenFile: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(tokenFile, "utf8")).trim();
  } catch (cause) {
    const message = `admin.tokenFile cannot be read: ${messageOf(cause)}: ask as a user who may read it`;
    throw new KeyturnError("CONFIG_INVALID", message, { cause });
  }
  if (/^[\x20-\x7e]+$/.test(text)) return text;
  throw new KeyturnError("CONFIG_INVALID", `admin.tokenFile: ${tokenFile} holds no token: one line of ASCII`);
}

/** Where the daemon listens on every address, loopback is one of them. */
function hostOf(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
