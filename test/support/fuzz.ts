/** How often properties are tried: a little with every change, and for hours where `KEYTURN_FUZZ_TIMES` says so. */

const { KEYTURN_FUZZ_TIMES: times = "1" } = process.env;

/** Parameters for `fc.assert`: so many runs, times `KEYTURN_FUZZ_TIMES`. The seed is printed where one fails. */
export function tries(numRuns: number): { readonly numRuns: number } {
  return { numRuns: numRuns * Number(times) };
}
