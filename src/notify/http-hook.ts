/** Tells a service over HTTP: one delivery, as many attempts as it is allowed, and an answer that says what became of it. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { messageOf } from "../core/errors.ts";
import type { HookAttemptResult, Report } from "../core/events.ts";
import { Secret } from "../core/secret.ts";
import type { Notice, ServiceAnswer } from "../core/service.ts";
import { fullJitterMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { type PostAnswer, post } from "./post.ts";
import { decodeWebhookSecret, webhookBody, webhookHeaders } from "./webhook.ts";

/** Where and how to tell: `services[].notify.http`. */
export interface HttpHookOptions {
  readonly service: string;
  readonly node: string;
  readonly userAgent: string;
  readonly url: string;
  readonly method: "POST" | "PUT";
  readonly timeoutMs: number;
  readonly attempts: number;
  readonly secretFile?: string | undefined;
  readonly socketPath?: string | undefined;
  readonly clock: Clock;
  readonly report: Report;
}

/** One attempt, judged. `retryAfterMs` is what the service asked for. */
interface Attempt {
  readonly result: HookAttemptResult;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

const RETRY_BACKOFF = { baseMs: 200, capMs: 5_000 };
/** A service may ask for patience, but not stop the node for longer than this. */
const MAX_RETRY_AFTER_MS = 30_000;

/**
 * Delivers one notice. 2xx is success; 5xx, 429 and network errors are tried again; any other answer fails at once.
 *
 * The signal ends waiting and further attempts, never a request that is out: the service may be at work on it.
 */
export async function deliver(
  options: HttpHookOptions,
  notice: Notice,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const { service, attempts, clock, report } = options;
  const secret = readSecret(options.secretFile);
  if (typeof secret === "string") return { kind: "failed", message: `${service}: ${secret}` };
  const id = `msg_${randomUUID()}`;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const begin = clock.monotonicMs();
    const { result, message, retryAfterMs } = await attemptOnce(options, id, notice, secret);
    const durationMs = clock.monotonicMs() - begin;
    report({
      type: "hook.attempted",
      service,
      bundle: notice.generation.name,
      attempt,
      result,
      message,
      durationMs,
    });
    if (result === "delivered") return { kind: "done" };
    if (result === "refused" || attempt >= attempts) {
      const kind = result === "unreachable" ? "unreachable" : "failed";
      return { kind, message: `${message} (attempt ${attempt} of ${attempts})` };
    }
    await clock.sleep(retryAfterMs ?? fullJitterMs(attempt, RETRY_BACKOFF), signal);
  }
}

async function attemptOnce(
  options: HttpHookOptions,
  id: string,
  notice: Notice,
  secret: Secret<Buffer> | undefined,
): Promise<Attempt> {
  const { node, userAgent, clock } = options;
  const now = clock.now();
  const body = webhookBody(node, notice, now);
  const headers = {
    ...webhookHeaders(id, body, now, secret),
    "content-type": "application/json",
    "user-agent": userAgent,
  };
  return judge(await post({ ...options, headers, body }), options, now);
}

function judge(
  answer: PostAnswer,
  { service, url, socketPath, timeoutMs }: HttpHookOptions,
  now: Date,
): Attempt {
  // The query may hold a token.
  const shown = url.replace(/[?#].*$/s, "");
  const target = socketPath === undefined ? shown : `${shown} through ${socketPath}`;
  const attempt = (result: HookAttemptResult, what: string, retryAfterMs?: number): Attempt => ({
    result,
    message: `${service} ${what} on ${target}`,
    retryAfterMs,
  });
  switch (answer.kind) {
    case "timeout":
      return attempt("timeout", `did not answer within ${timeoutMs} ms`);
    case "unreachable":
      return attempt("unreachable", `cannot be reached (${answer.code})`);
    case "broken":
      return attempt("busy", `broke off the connection (${answer.code})`);
    case "status": {
      const { status, retryAfter } = answer;
      if (status >= 200 && status < 300) return attempt("delivered", `answered ${status}`);
      const mayChange = status === 429 || status >= 500;
      if (!mayChange) return attempt("refused", `answered ${status}`);
      return attempt("busy", `answered ${status}`, parseRetryAfter(retryAfter, now));
    }
  }
}

/** `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), in milliseconds; undefined where it is neither. */
function parseRetryAfter(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  // Date.parse takes "-5" and "1.5" for dates of long ago.
  const dateMs = header.endsWith(" GMT") ? Date.parse(header) - now.getTime() : Number.NaN;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : dateMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** The secret, read at each delivery so that it can be changed in place; a string says why there is none. */
function readSecret(file: string | undefined): Secret<Buffer> | undefined | string {
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (thrown) {
    return `cannot read secretFile ${file}: ${messageOf(thrown)}`;
  }
  const bytes = decodeWebhookSecret(text);
  if (bytes !== undefined) return new Secret(bytes);
  return `${file} holds no webhook secret: expected whsec_ and the base64 of 24 to 64 random bytes`;
}
