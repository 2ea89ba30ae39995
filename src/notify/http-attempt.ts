/** One HTTP request to a service, and what its answer means. */
import type { HookAttemptResult } from "../core/events.ts";
import type { Attempt } from "./attempt.ts";
import { type PostAnswer, type PostRequest, post } from "./post.ts";
import { adviceOnRedirect } from "./redirect.ts";

/** One attempt, judged. */
export interface HttpAttempt extends Attempt {
  /** Whether the service may have begun what it was asked for, without saying how that went. */
  readonly leftOpen: boolean;
  /** What the service asked for. */
  readonly retryAfterMs: number | undefined;
}

/** A service may ask for patience, but not stop the node for longer than this. */
const MAX_RETRY_AFTER_MS = 30_000;

/** Sends the request and judges the answer: 2xx is success, 5xx and 429 may change, any other status is a refusal. */
export async function attemptHttp(service: string, request: PostRequest, now: Date): Promise<HttpAttempt> {
  const { url, socketPath, timeoutMs } = request;
  // The query may hold a token.
  const shown = url.replace(/[?#].*$/s, "");
  const target = socketPath === undefined ? shown : `${shown} through ${socketPath}`;
  const answer = await post(request);
  const { result, what, retryAfterMs } = judge(answer, timeoutMs, now);
  const leftOpen = answer.kind === "timeout" || answer.kind === "broken";
  const advice = answer.kind === "status" ? adviceOnRedirect(answer.status, answer.location, url) : undefined;
  const message = `${service} ${what} on ${target}${advice === undefined ? "" : `: ${advice}`}`;
  return { result, message, leftOpen, retryAfterMs };
}

interface Judgement {
  readonly result: HookAttemptResult;
  readonly what: string;
  readonly retryAfterMs?: number | undefined;
}

function judge(answer: PostAnswer, timeoutMs: number, now: Date): Judgement {
  switch (answer.kind) {
    case "timeout":
      return { result: "timeout", what: `did not answer within ${timeoutMs} ms` };
    case "unreachable":
      return { result: "unreachable", what: `cannot be reached (${answer.code})` };
    case "broken":
      return { result: "busy", what: `broke off the connection (${answer.code})` };
    case "status": {
      const { status, retryAfter } = answer;
      const what = `answered ${status}`;
      if (status >= 200 && status < 300) return { result: "delivered", what };
      const mayChange = status === 429 || status >= 500;
      if (!mayChange) return { result: "refused", what };
      return { result: "busy", what, retryAfterMs: parseRetryAfter(retryAfter, now) };
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
