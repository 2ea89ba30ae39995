/** A clock that runs many times faster than the machine's, for code that waits long on purpose. */
import { type Clock, systemClock } from "../../src/runtime/clock.ts";

/** Real time, `times` as fast. Deadlines inside of libraries stay what they are. */
export function hurriedClock(times: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonicMs: () => systemClock.monotonicMs() * times,
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
  };
}
