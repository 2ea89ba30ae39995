/** Delivers a message over HTTP: as many attempts as it is allowed, and an answer that says what became of it. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { messageOf } from "../core/errors.ts";
import type { BundleName } from "../core/names.ts";
import { Secret } from "../core/secret.ts";
import type { ServiceAnswer } from "../core/service.ts";
import { fullJitterMs } from "../runtime/backoff.ts";
import { type AttemptOptions, answerOf, reportAttempt } from "./attempt.ts";
import { attemptHttp, type HttpAttempt } from "./http-attempt.ts";
import { decodeWebhookSecret, webhookHeaders } from "./webhook.ts";

/** Where and how to deliver: `services[].notify.http` and `renewal.http`. */
export interface DeliveryOptions extends AttemptOptions {
  readonly node: string;
  readonly userAgent: string;
  readonly url: string;
  readonly method: "POST" | "PUT";
  readonly timeoutMs: number;
  readonly attempts: number;
  readonly secretFile?: string | undefined;
  readonly socketPath?: string | undefined;
  /**
   * Whether the service serves what it was told of, as a handshake shows. Asked after an attempt that ran out of time
   * or broke off, so that a service that is slow to answer is not told again of what it has done.
   */
  readonly isServed?: ((signal: AbortSignal) => Promise<boolean>) | undefined;
}

/** What is delivered. */
export interface Message {
  readonly bundle: BundleName;
  /** The JSON body of an attempt that is made now. */
  body(now: Date): string;
}

const RETRY_BACKOFF = { baseMs: 200, capMs: 5_000 };

/**
 * Delivers one message. 2xx is success; 5xx, 429 and network errors are tried again; any other answer fails at once.
 *
 * A service that cannot be reached, from the first attempt to the last, is `unreachable`. One that took a request, left
 * it open and is then not there any more has died over it, and that is `failed`.
 *
 * The signal ends waiting and further attempts, never a request that is out: the service may be at work on it.
 */
export async function deliver(
  options: DeliveryOptions,
  message: Message,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const { service, attempts, clock } = options;
  const secret = readSecret(options.secretFile);
  // Our own trouble: it says nothing of what the service would do with the certificate.
  if (typeof secret === "string") return { kind: "busy", message: `${service}: ${secret}` };
  const id = `msg_${randomUUID()}`;
  let wasLeftOpen = false;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const made = await reportAttempt(options, message.bundle, attempt, () =>
      attemptOnce(options, id, message, secret),
    );
    if (made.result === "delivered") return { kind: "done" };
    const isLast = made.result === "refused" || attempt >= attempts;
    if (!isLast) await clock.sleep(made.retryAfterMs ?? fullJitterMs(attempt, RETRY_BACKOFF), signal);
    const next = isLast ? attempt : attempt + 1;
    if (made.leftOpen && (await isServed(options, message, next, signal))) return { kind: "done" };
    if (isLast) return conclude(made, `attempt ${attempt} of ${attempts}`, wasLeftOpen);
    wasLeftOpen ||= made.leftOpen;
  }
}

async function attemptOnce(
  options: DeliveryOptions,
  id: string,
  message: Message,
  secret: Secret<Buffer> | undefined,
): Promise<HttpAttempt> {
  const now = options.clock.now();
  const body = message.body(now);
  const headers = {
    ...webhookHeaders(id, body, now, secret),
    "content-type": "application/json",
    "user-agent": options.userAgent,
  };
  return attemptHttp(options.service, { ...options, headers, body }, now);
}

/** A look in place of being told again; reported only where it shows that there is no need. */
async function isServed(
  options: DeliveryOptions,
  { bundle }: Message,
  attempt: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { service, clock, report } = options;
  const begin = clock.monotonicMs();
  if (options.isServed === undefined || !(await options.isServed(signal))) return false;
  const durationMs = clock.monotonicMs() - begin;
  const message = `${service} gave no answer, and a handshake shows that it serves what it was told of`;
  report({ type: "hook.attempted", service, bundle, attempt, result: "delivered", message, durationMs });
  return true;
}

function conclude({ result, message }: HttpAttempt, count: string, wasLeftOpen: boolean): ServiceAnswer {
  if (result !== "unreachable" || !wasLeftOpen) return answerOf({ result, message: `${message} (${count})` });
  return { kind: "failed", message: `${message} after it had taken the request: it died over it (${count})` };
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
