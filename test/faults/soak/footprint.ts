/** What a process holds, as Linux's /proc tells it from outside. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf } from "../../support/process.ts";

/** What the daemon holds. */
export interface Footprint {
  readonly residentMiB: number;
  /** Of its child processes together. */
  readonly childrenMiB: number;
  readonly descriptors: number;
  readonly children: number;
}

const LOOKS = 24;
const LOOK_EVERY_MS = 500;

/** What it holds now. */
export function footprintOf(pid: number): Footprint {
  const children = childrenOf(pid);
  return {
    residentMiB: residentMiB(pid),
    childrenMiB: children.reduce((sum, child) => sum + residentMiB(child), 0),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    children: children.length,
  };
}

/**
 * What it holds while it has nothing to do: looked at for a while, and of each figure the least. Connections that are
 * kept for the next request have been given up by then, the collector has had its turn where it wanted one, and a
 * regular look of the daemon's own does not count.
 */
export async function quietFootprintOf(pid: number): Promise<Footprint> {
  const seen: Footprint[] = [];
  while (seen.length < LOOKS) {
    await sleep(LOOK_EVERY_MS);
    seen.push(footprintOf(pid));
  }
  const least = (of: (one: Footprint) => number) => Math.min(...seen.map(of));
  return {
    residentMiB: least(({ residentMiB }) => residentMiB),
    childrenMiB: least(({ childrenMiB }) => childrenMiB),
    descriptors: least(({ descriptors }) => descriptors),
    children: least(({ children }) => children),
  };
}

function residentMiB(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    // It ended between the listing and the look.
    return 0;
  }
}
