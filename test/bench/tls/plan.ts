/** How much is measured: all of it, or enough for CI to see a fault. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { SIZE_OPTIONS, sizesFor } from "../options.ts";

/** Certificates change this often. */
export const SWAP_EVERY_MS = 100;

/** Rounds in which contenders take turns. */
interface RoundPlan {
  readonly rounds: number;
  /** Of each turn: before it counts, and while it does. */
  readonly warmMs: number;
  readonly turnMs: number;
}

/** Handshakes by so many clients at once. */
export interface HandshakePlan extends RoundPlan {
  readonly clients: number;
  /** Of the rounds those in which all take part; in the others keyturn and the floor alone do. */
  readonly roundsOfAll: number;
  /** What keyturn has to have swapped in all of them together: there are more rounds until it has. */
  readonly swaps: number;
}

/** Requests on connections that stay. */
export interface RequestPlan extends RoundPlan {
  readonly connections: number;
  readonly perSecond: number;
}

/** Sizes of one run. */
export interface Plan {
  /** By few clients, and by a crowd. */
  readonly handshakes: readonly [HandshakePlan, HandshakePlan];
  readonly requests: RequestPlan;
  /** Swaps after which memory is looked at. */
  readonly memoryAfter: readonly number[];
  readonly write: boolean;
}

export const USAGE = "npm run bench:tls -- [--quick | --write]";

/** As many as the article has. */
const MOST_CONNECTIONS = 10_000;
/** For whatever else a process has open. */
const OTHER_FILES = 500;

const FULL: Omit<Plan, "write"> = {
  handshakes: [
    { clients: 64, rounds: 50, roundsOfAll: 10, warmMs: 300, turnMs: 2_000, swaps: 1_000 },
    { clients: 1_000, rounds: 5, roundsOfAll: 5, warmMs: 2_000, turnMs: 5_000, swaps: 0 },
  ],
  requests: {
    connections: Math.min(MOST_CONNECTIONS, openFilesLimit() - OTHER_FILES),
    perSecond: 1_000,
    rounds: 10,
    warmMs: 500,
    turnMs: 8_000,
  },
  memoryAfter: [1_000, 10_000],
};

const QUICK: Omit<Plan, "write"> = {
  handshakes: [
    { clients: 64, rounds: 1, roundsOfAll: 1, warmMs: 100, turnMs: 600, swaps: 0 },
    { clients: 200, rounds: 1, roundsOfAll: 1, warmMs: 100, turnMs: 600, swaps: 0 },
  ],
  requests: { connections: 200, perSecond: 500, rounds: 1, warmMs: 100, turnMs: 600 },
  memoryAfter: [20, 100],
};

/** Reads the options; throws where there is one that is not known, or that does not go with another. */
export function planOf(argv: readonly string[]): Plan {
  const { values } = parseArgs({ args: [...argv], options: SIZE_OPTIONS });
  return { ...sizesFor(values, { full: FULL, quick: QUICK }), write: values.write };
}

/** How many files a process may have open. Node has raised it as far as it may. */
function openFilesLimit(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 1_024);
}
