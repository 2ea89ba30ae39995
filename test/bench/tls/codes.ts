/** Failures by code: thousands of them have to fit into a line. Pure. */

/** The code of an error, or its message where it has none. */
export function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

/** Several counts as one. */
export function addCounts(counts: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [code, count] of counts.flatMap((one) => [...one]))
    sums.set(code, (sums.get(code) ?? 0) + count);
  return sums;
}

/** All of them. */
export function totalOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** In words, such as `3 ECONNRESET`. */
export function codesOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([code, count]) => `${count} ${code}`).join(", ");
}
