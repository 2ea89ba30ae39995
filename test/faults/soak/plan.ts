/** How long a soak lasts, and which one it is. */
import { parseArgs } from "node:util";

/** One soak. */
export interface Plan {
  readonly rotations: number;
  /** What comes when is drawn from it. */
  readonly seed: number;
}

/** Memory is looked at for the first time after this many: caches are full by then, and code is compiled. */
export const WARM_UP = 1_000;

export const USAGE = "npm run soak -- [--rotations N] [--seed N]";

/** Reads the options; throws where there is one that is not known or makes no sense. */
export function planOf(argv: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rotations: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
    },
  });
  const rotations = Number(values.rotations);
  const seed = Number(values.seed);
  if (!Number.isInteger(rotations) || rotations <= WARM_UP) {
    throw new Error(`--rotations: expected more than ${WARM_UP}, not ${values.rotations}`);
  }
  if (!Number.isInteger(seed)) throw new Error(`--seed: expected a whole number, not ${values.seed}`);
  return { rotations, seed };
}
