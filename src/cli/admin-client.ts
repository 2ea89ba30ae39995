/** Asks the daemon of this node over its admin address; what changes something brings the token. */
import { readFile } from "node:fs/promises";
import { type RequestOptions, request } from "node:http";
import { text as readText } from "node:stream/consumers";
import type { Config } from "../config/schema.ts";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";
import { type BundleName, bundleName } from "../core/names.ts";
import { nearest } from "../core/nearest.ts";
import { printError, printJson } from "./print.ts";
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
  const url = urlOf(listen, path);
  const token = method === "POST" && tokenFile !== undefined ? await readToken(tokenFile) : undefined;
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  const sent = body === undefined ? "" : JSON.stringify(body);
  return readReply(url, await exchangeWithin(timeoutMs, url, { method, headers }, sent));
}

/** Asks for what is no JSON, such as `/metrics`. @throws KeyturnError DAEMON_UNREACHABLE. */
export async function askText({ listen }: Config["admin"], path: string, timeoutMs: number): Promise<string> {
  const url = urlOf(listen, path);
  const { status, text } = await exchangeWithin(timeoutMs, url, { method: "GET" }, "");
  if (status === 200) return text;
  throw unreachable(url, `it answered ${status}`, undefined);
}

/**
 * Says why the daemon does not do it, and what to do about it: on standard error, and as JSON where that is wanted.
 *
 * @param name The bundle it was asked about.
 */
export async function explainRefusal(
  { code, message }: Extract<AdminReply, { readonly kind: "refused" }>,
  admin: Config["admin"],
  { json, name }: { readonly json?: boolean | undefined; readonly name?: string },
): Promise<void> {
  if (json) printJson({ error: { code, message } });
  printError(`keyturn: ${plain(code)}: ${plain(message)}`);
  const hint = await hintOn(code, admin, name);
  if (hint !== undefined) printError(`  ${hint}`);
}

async function hintOn(code: string, admin: Config["admin"], name?: string): Promise<string | undefined> {
  if (code === "BUNDLE_UNKNOWN" && name !== undefined) {
    const meant = nearest(name, await bundleNamesOf(admin));
    return meant === undefined ? undefined : `did you mean ${meant}?`;
  }
  if (code !== "UNAUTHORIZED" && code !== "FORBIDDEN") return undefined;
  if (admin.tokenFile === undefined) {
    return "no token was sent: set admin.tokenFile, or --admin-token-file, to the file the daemon uses";
  }
  if (code === "FORBIDDEN") return undefined;
  return `the token of ${admin.tokenFile} was sent: is that the file the daemon reads, and as it reads it now?`;
}

/** The bundles the daemon knows; none where it does not answer. What cannot be a name is left out: a shell gets them. */
export async function bundleNamesOf(
  admin: Config["admin"],
  timeoutMs = 2_000,
): Promise<readonly BundleName[]> {
  try {
    const reply = await askDaemon(admin, { method: "GET", path: "/status", timeoutMs });
    if (reply.kind === "refused") return [];
    const { bundles = [] } = reply.body as { readonly bundles?: readonly { readonly name: string }[] };
    return bundles.flatMap(({ name }) => bundleName(name) ?? []);
  } catch {
    return [];
  }
}

async function exchangeWithin(
  timeoutMs: number,
  url: string,
  options: RequestOptions,
  body: string,
): Promise<Exchanged> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await exchange(url, { ...options, signal, agent: false }, body);
  } catch (thrown) {
    throw unreachable(url, signal.aborted ? `not within ${timeoutMs / 1_000} s` : reasonOf(thrown), thrown);
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
  const hint = "is keyturn running, and is admin.listen the same here and there (--config, --admin-listen)?";
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
    const isAbsent = systemCodeOf(cause) === "ENOENT";
    const hint = isAbsent ? "the daemon makes none: write a token to it" : "ask as a user who may read it";
    const message = `admin.tokenFile cannot be read: ${messageOf(cause)}: ${hint}`;
    throw new KeyturnError("CONFIG_INVALID", message, { cause });
  }
  if (/^[\x20-\x7e]+$/.test(text)) return text;
  throw new KeyturnError("CONFIG_INVALID", `admin.tokenFile: ${tokenFile} holds no token: one line of ASCII`);
}

function urlOf({ host, port }: Config["admin"]["listen"], path: string): string {
  return `http://${hostOf(host)}:${port}${path}`;
}

/** Where the daemon listens on every address, loopback is one of them. */
function hostOf(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
