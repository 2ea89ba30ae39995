/** What a fault is. */
import type { Dice } from "../dice.ts";
import type { Stand } from "./stand.ts";

/** What a fault hits: `--only` names these. */
export const GROUPS = ["etcd", "link", "access", "process", "service", "disk"] as const;
export type Group = (typeof GROUPS)[number];

/** Lengths of time and chance, as a fault draws them. */
export interface Draw {
  readonly dice: Dice;
  /** Waits: mostly for less than `usualMs`, now and then for as long as `longestMs`. */
  linger(usualMs: number, longestMs?: number): Promise<void>;
}

/** A kind of fault. */
export interface Fault {
  /** Completes the sentence "the fault is that …". */
  readonly name: string;
  readonly group: Group;
  /** How often it is drawn beside the others. */
  readonly weight: number;
  /** Whether a stand has what it hits. */
  readonly fits: (stand: Stand) => boolean;
  /** Causes it, and takes the cause away: from when this resolves on, the node has to recover. */
  readonly inject: (stand: Stand, draw: Draw) => Promise<void>;
}
