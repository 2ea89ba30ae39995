/** Looks again and again until it has seen enough or its time is over: at once at first, then ever more rarely. */
import type { Clock } from "../runtime/clock.ts";

/** What follows a look: nothing more, another one at once, or another one after a wait. */
export type Next = "enough" | "again" | "later";

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;
/** One connection that hangs does not use up all the time there is. */
const MAX_LOOK_MS = 5_000;
/** A look that begins just before the deadline gets a fair chance: it would fail for lack of time, and hide the cause. */
const MIN_LOOK_MS = 1_000;

/** How long one look may take, where `leftMs` are left of all. */
export function lookTimeoutMs(leftMs: number): number {
  return Math.ceil(Math.min(Math.max(leftMs, MIN_LOOK_MS), MAX_LOOK_MS));
}

/**
 * Whether enough was seen. The deadline ends it only after a look that asks for a wait, the last of which begins when
 * the time is over: what goes well is seen through to its end.
 *
 * @param look Is given how long it may take.
 */
export async function keepLooking(
  withinMs: number,
  clock: Clock,
  look: (timeoutMs: number) => Promise<Next>,
  signal: AbortSignal,
): Promise<boolean> {
  const end = clock.monotonicMs() + withinMs;
  for (let waitMs = FIRST_WAIT_MS; ; ) {
    signal.throwIfAborted();
    const next = await look(lookTimeoutMs(end - clock.monotonicMs()));
    if (next === "enough") return true;
    if (next === "again") continue;
    const leftMs = end - clock.monotonicMs();
    if (leftMs <= 0) return false;
    await clock.sleep(Math.min(waitMs, Math.ceil(leftMs)), signal);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** A time that passed, for a person. */
export function secondsOf(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
