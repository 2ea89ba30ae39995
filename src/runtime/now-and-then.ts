/** Says the same thing not too often: what comes in between is counted, and said with the next. */
import type { Clock } from "./clock.ts";

/** To be called each time it happens. @returns How often it did since it was said; null where it is not to be said yet. */
export type NowAndThen = () => number | null;

/** Lets the first be said, and then at most one in each `everyMs`. */
export function nowAndThen(everyMs: number, clock: Pick<Clock, "monotonicMs">): NowAndThen {
  let nextMs = Number.NEGATIVE_INFINITY;
  let times = 0;
  return () => {
    times++;
    const now = clock.monotonicMs();
    if (now < nextMs) return null;
    nextMs = now + everyMs;
    const said = times;
    times = 0;
    return said;
  };
}
