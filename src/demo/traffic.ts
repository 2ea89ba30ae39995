/** Load on an example service: connections that are new, one that is old, and streams that outlast a rotation on both. */
import { messageOf } from "../core/errors.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Ask } from "./ask.ts";

/** What the load saw so far. */
export interface Counts {
  served: number;
  streams: number;
  failed: number;
  /** The first few failures, in words. */
  readonly failures: string[];
}

/** Load that runs. */
export interface Traffic {
  readonly counts: Counts;
  /** Resolves with Unix milliseconds when a new connection was given the certificate with this fingerprint. */
  seen(fingerprint256: string): Promise<number>;
  /** Ends it, after the requests under way. */
  stop(): Promise<void>;
}

const PAUSE_MS = 15;
const REQUEST_TIMEOUT_MS = 10_000;
const KEPT_FAILURES = 5;

/** Starts the load: each of these is asked over and over, in parallel. */
export function startTraffic(asks: readonly Ask[]): Traffic {
  const counts: Counts = { served: 0, streams: 0, failed: 0, failures: [] };
  const stopping = new AbortController();
  let newest = "";
  const waiting = new Map<string, (atMs: number) => void>();
  const onFingerprint = (fingerprint: string): void => {
    newest = fingerprint;
    waiting.get(fingerprint)?.(performance.timeOrigin + performance.now());
    waiting.delete(fingerprint);
  };

  async function work({ isStream, ask }: Ask): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await ask(onFingerprint, AbortSignal.timeout(REQUEST_TIMEOUT_MS));
        counts.served++;
        if (isStream) counts.streams++;
      } catch (thrown) {
        counts.failed++;
        if (counts.failures.length < KEPT_FAILURES) counts.failures.push(messageOf(thrown));
      }
      await systemClock.sleep(PAUSE_MS, AbortSignal.timeout(REQUEST_TIMEOUT_MS));
    }
  }

  const workers = asks.map(work);
  return {
    counts,
    seen: (fingerprint) =>
      new Promise((resolve) => {
        if (newest === fingerprint) resolve(performance.timeOrigin + performance.now());
        else waiting.set(fingerprint, resolve);
      }),
    stop: async () => {
      stopping.abort();
      await Promise.all(workers);
    },
  };
}
