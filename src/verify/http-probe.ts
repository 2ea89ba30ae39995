/** Waits until a service says over HTTP that it is ready. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { systemCodeOf } from "../core/errors.ts";
import type { ServiceAnswer } from "../core/service.ts";
import type { Clock } from "../runtime/clock.ts";
import { keepLooking, secondsOf } from "./patience.ts";

/** Where to ask: `services[].verify.http`. */
export interface HttpProbe {
  readonly service: string;
  readonly url: string;
  /** The status that means ready. */
  readonly expect: number;
  /** How long the service may take. */
  readonly withinMs: number;
}

type HttpAnswer = { readonly status: number } | { readonly code: string };

/**
 * No certificate is judged. With no authority to trust none verifies either, and only one that does is decoded by Node,
 * which ends the process where there is a curve without a NIST name in its chain (24.21, 26.10).
 */
const ANY_CERTIFICATE = { rejectUnauthorized: false, ca: [] };

/**
 * Asks until the status is `expect`, or until `withinMs` is over; each request has a connection and a deadline of its
 * own. A redirect is a status like any other, and no body is read.
 *
 * The certificate behind an `https:` address is not judged: that is what the TLS probe is for, and a health endpoint of
 * the same node is often reached by a name that no certificate has.
 *
 * Messages leave out the query, which may hold a token. Rejects only with the signal's reason.
 */
export async function verifyHttp(
  { service, url, expect, withinMs }: HttpProbe,
  clock: Clock,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const begin = clock.monotonicMs();
  let last = "";
  const isReady = await keepLooking(
    withinMs,
    clock,
    async (timeoutMs) => {
      const answer = await get(url, timeoutMs, signal);
      if ("status" in answer && answer.status === expect) return "enough";
      last =
        "status" in answer ? `answers ${answer.status}, not ${expect},` : `does not answer (${answer.code})`;
      return "later";
    },
    signal,
  );
  if (isReady) return { kind: "done" };
  const shown = url.replace(/[?#].*$/s, "");
  const after = secondsOf(clock.monotonicMs() - begin);
  return { kind: "failed", message: `${service} ${last} on ${shown} after ${after}: see its log` };
}

function get(url: string, timeoutMs: number, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    // A kept connection would lead to a worker that is about to end.
    const options = { agent: false, signal: deadline, headers: { "user-agent": "keyturn" } };
    const isTls = url.startsWith("https:");
    const request = isTls ? requestHttps(url, { ...options, ...ANY_CERTIFICATE }) : requestHttp(url, options);
    const end = () => {
      signal.removeEventListener("abort", abort);
      request.destroy();
    };
    const abort = () => {
      end();
      reject(signal.reason);
    };
    const answer = ({ statusCode: status = 0 }: { readonly statusCode?: number | undefined }) => {
      end();
      resolve({ status });
    };
    signal.addEventListener("abort", abort);
    request.on("response", answer);
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      answer(response);
    });
    request.on("error", (error) => {
      end();
      resolve({
        code: deadline.aborted ? `no answer within ${timeoutMs} ms` : (systemCodeOf(error) ?? error.name),
      });
    });
    request.end();
  });
}
