/** A clock that stands still until the test moves it on. */
import type { Clock } from "../../src/runtime/clock.ts";

/** A clock of a test. */
export interface ManualClock extends Clock {
  /** How long each of those who sleep now wanted to. */
  readonly sleeping: readonly number[];
  /** Moves on, and wakes whose time has come. */
  advance(ms: number): void;
}

/** Makes a clock. */
export function manualClock(): ManualClock {
  const sleepers = new Set<{ readonly ms: number; readonly until: number; readonly wake: () => void }>();
  const begin = Date.now();
  let now = 0;
  return {
    get sleeping() {
      return [...sleepers].map(({ ms }) => ms);
    },
    advance: (ms) => {
      now += ms;
      for (const sleeper of sleepers) if (sleeper.until <= now) sleeper.wake();
    },
    now: () => new Date(begin + now),
    monotonicMs: () => now,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      if (ms <= 0) return;
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          sleepers.delete(sleeper);
          signal.removeEventListener("abort", abort);
        };
        const abort = () => {
          leave();
          reject(signal.reason);
        };
        const wake = () => {
          leave();
          resolve();
        };
        const sleeper = { ms, until: now + ms, wake };
        sleepers.add(sleeper);
        signal.addEventListener("abort", abort);
      });
    },
  };
}
