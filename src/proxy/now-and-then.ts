/** Says the same thing not too often: what comes in between is counted, and said with the next. */
import { systemClock } from "../runtime/clock.ts";

/** Says it, with how often it happened since it was said before. */
type Say<Fields> = (fields: Fields, times: number) => void;

/** Passes on the first, and then at most one in each `everyMs`. */
export function nowAndThen<Fields>(everyMs: number, say: Say<Fields>): (fields: Fields) => void {
  let nextMs = Number.NEGATIVE_INFINITY;
  let times = 0;
  return (fields) => {
    times++;
    const now = systemClock.monotonicMs();
    if (now < nextMs) return;
    nextMs = now + everyMs;
    say(fields, times);
    times = 0;
  };
}
