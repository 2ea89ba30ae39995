/** The command line of `npm run faults`. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { GROUPS, type Group } from "./bench/fault.ts";

/** What to run. */
export interface Options {
  /** The same seed draws the same faults in the same order. */
  readonly seed: number;
  /** For how long, in all. */
  readonly minutes: number;
  /** Groups of faults to draw from. */
  readonly only: readonly Group[];
  /** Every kind of fault once, at its longest, in place of chance. */
  readonly each: boolean;
}

export const USAGE = `npm run faults -- [--minutes N] [--seed N] [--only ${GROUPS.join("|")}]… [--each]`;

const MOST_SEED = 2 ** 31;

/** Reads the options; throws where there is one that is not known, or that cannot be. */
export function optionsOf(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: "string", default: String(randomInt(MOST_SEED)) },
      minutes: { type: "string", default: "10" },
      only: { type: "string", multiple: true, default: [...GROUPS] },
      each: { type: "boolean", default: false },
    },
  });
  const seed = Number(values.seed);
  const minutes = Number(values.minutes);
  if (!(Number.isInteger(seed) && seed >= 0))
    throw new Error(`--seed: expected a whole number, not ${values.seed}`);
  if (!(minutes > 0)) throw new Error(`--minutes: expected a number over 0, not ${values.minutes}`);
  const only = values.only.map((name) => {
    const group = GROUPS.find((known) => known === name);
    if (group === undefined) throw new Error(`--only: expected ${GROUPS.join(", ")}, not ${name}`);
    return group;
  });
  return { seed, minutes, only, each: values.each };
}
