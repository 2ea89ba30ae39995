/** A clock that does not wait: it remembers how long it was asked to. Time stands still but for what is slept. */
import type { Clock } from "../../src/runtime/clock.ts";

/** A clock of a test. */
export interface PatientClock extends Clock {
  /** Waits in milliseconds, in the order they were asked for. */
  readonly waits: readonly number[];
}

/** @param onSleep Called before each wait, which goes on when it is done. */
export function patientClock(onSleep: () => void | Promise<void> = () => undefined): PatientClock {
  const waits: number[] = [];
  const begin = Date.now();
  let slept = 0;
  return {
    waits,
    now: () => new Date(begin + slept),
    monotonicMs: () => slept,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      waits.push(ms);
      await onSleep();
      signal.throwIfAborted();
      slept += ms;
    },
  };
}
