/** What the benchmarks are told alike on the command line. */

/** For `parseArgs`. */
export const SIZE_OPTIONS = {
  quick: { type: "boolean", default: false },
  write: { type: "boolean", default: false },
} as const;

/** The sizes of the run; throws where a short one is to be kept. */
export function sizesFor<Sizes>(
  { quick, write }: { readonly quick: boolean; readonly write: boolean },
  sizes: { readonly full: Sizes; readonly quick: Sizes },
): Sizes {
  if (quick && write) throw new Error("--write keeps a full run: leave --quick out");
  return quick ? sizes.quick : sizes.full;
}
