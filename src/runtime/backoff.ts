/** How long to wait before trying again: full jitter, so that a thousand nodes do not come back in step. */

/** Bounds of a growing wait. */
export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * A wait drawn evenly from zero to `baseMs` doubled for each failed attempt, at most `capMs`.
 *
 * @param attempt Failed attempts so far, from 1.
 * @param random A number in [0, 1).
 */
export function fullJitterMs(attempt: number, { baseMs, capMs }: Backoff, random = Math.random()): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(random * ceiling);
}
