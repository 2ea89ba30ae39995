/** Waits for conditions with a deadline; nothing in the tests sleeps for a guessed time. */
import { setTimeout as sleep } from "node:timers/promises";

const LOOK_EVERY_MS = 10;

/**
 * Looks until `probe` gives something other than undefined, null or false, and returns it.
 *
 * @param what Completes the sentence "timed out waiting until …".
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = 30_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false)
      return found as NonNullable<Exclude<T, false>>;
    if (performance.now() > end) throw new Error(`timed out waiting until ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/**
 * Checks that something stays as it is: looks at it for a while.
 *
 * @param forMs How long to look; a fault that comes later is not seen.
 */
export async function stays(
  probe: () => boolean | Promise<boolean>,
  what: string,
  forMs: number,
): Promise<void> {
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    if (!(await probe())) throw new Error(`it did not stay so: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}
