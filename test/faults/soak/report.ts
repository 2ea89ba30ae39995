/** What a soak showed: the table, and what in it is not as it should be. Pure. */
import type { Footprint } from "./footprint.ts";
import type { Tally } from "./lane.ts";

/** One look at the daemon. */
export interface Sample {
  readonly rotations: number;
  readonly seconds: number;
  /** Whether it had nothing to do. */
  readonly isQuiet: boolean;
  readonly footprint: Footprint;
}

/** Resident memory at the end, as a multiple of that after the warm-up. */
const MOST_GROWTH = 1.15;

/** One line for each sample, below a head. */
export function tableOf(samples: readonly Sample[]): string {
  const head = ["rotations", "seconds", "", "daemon MiB", "children MiB", "descriptors", "children"];
  const rows = samples.map(({ rotations, seconds, isQuiet, footprint }) => [
    String(rotations),
    seconds.toFixed(0),
    isQuiet ? "quiet" : "",
    footprint.residentMiB.toFixed(1),
    footprint.childrenMiB.toFixed(1),
    String(footprint.descriptors),
    String(footprint.children),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  "))
    .join("\n");
}

/** What was done, in one line. */
export function doneOf(tallies: readonly Tally[]): string {
  const kinds = ["rotations", "replays", "rejections", "rollbacks", "guests"] as const;
  return kinds.map((kind) => `${tallies.reduce((sum, tally) => sum + tally[kind], 0)} ${kind}`).join(", ");
}

/** What the daemon kept that it should have let go. */
export function growthOf(before: Footprint, after: Footprint): string[] {
  const growth = after.residentMiB / before.residentMiB;
  const faults: string[] = [];
  if (growth > MOST_GROWTH) {
    faults.push(`resident memory is ${growth.toFixed(2)} times what it was after the warm-up`);
  }
  for (const kind of ["descriptors", "children"] as const) {
    if (after[kind] !== before[kind]) faults.push(`${kind} went from ${before[kind]} to ${after[kind]}`);
  }
  return faults;
}
