/** How much is measured: all of it, or enough for CI to see a fault. */
import { parseArgs } from "node:util";
import { SIZE_OPTIONS, sizesFor } from "./options.ts";

/** Sizes of one run. */
export interface Plan {
  /** Rotations of each contender that count. */
  readonly rotations: number;
  /** Rotations of each contender before those. */
  readonly warmUp: number;
  /** Rotations of one contender before it is the next one's turn: noise of the machine then hits all alike. */
  readonly block: number;
  /** Between a hook and the next put: one rotation at a time is measured, and not its queueing behind the last. */
  readonly pauseMs: number;
  readonly bundles: number;
  readonly idleMs: number;
  readonly write: boolean;
}

export const USAGE = "npm run bench -- [--quick | --write] [--pause=MS]";

const FULL = { rotations: 200, warmUp: 20, block: 50, pauseMs: 25, bundles: 1_000, idleMs: 10_000 };
const QUICK = { rotations: 20, warmUp: 5, block: 10, pauseMs: 25, bundles: 100, idleMs: 3_000 };

/** Reads the options; throws where there is one that is not known, or that does not go with another. */
export function planOf(argv: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...argv],
    options: { ...SIZE_OPTIONS, pause: { type: "string" } },
  });
  const sizes = sizesFor(values, { full: FULL, quick: QUICK });
  const pauseMs = values.pause === undefined ? sizes.pauseMs : Number(values.pause);
  if (!(pauseMs >= 0)) throw new Error(`--pause: expected milliseconds, not ${values.pause}`);
  return { ...sizes, pauseMs, write: values.write };
}
