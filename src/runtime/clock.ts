/** The only place that reads time or sleeps. Durations are measured on the monotonic clock, dates on the wall clock. */
import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn, setTimeout as sleepFor } from "node:timers/promises";

/** Time as an argument, so that whoever waits can be tested. */
export interface Clock {
  /** Wall clock. */
  now(): Date;
  /** Milliseconds of the monotonic clock: only differences mean something. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await sleepFor(ms, undefined, { signal });
    } catch (thrown) {
      throw signal.aborted ? signal.reason : thrown;
    }
  },
};

/** Lets everything else that is due run first: for long work, between its pieces. */
export async function yieldToOthers(): Promise<void> {
  await nextTurn();
}

/**
 * Calls over and over, `everyMs` apart; keeps no process alive.
 *
 * @returns Ends that.
 */
export function repeat(everyMs: number, task: () => void): () => void {
  const timer = setInterval(task, everyMs).unref();
  return () => clearInterval(timer);
}

/**
 * Calls once, after `ms`; keeps no process alive.
 *
 * @returns Takes that back.
 */
export function later(ms: number, task: () => void): () => void {
  const timer = setTimeout(task, ms).unref();
  return () => clearTimeout(timer);
}
