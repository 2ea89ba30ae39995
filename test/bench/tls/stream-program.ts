/** A load that stays: streams that have to come whole, and connections that have to stay. Asked by its parent. */
import { answer } from "./answers.ts";
import { type Kept, KINDS } from "./kept.ts";
import type { Target } from "./target.ts";

/** How many there were, and what is wrong with them. */
export interface KeptResult {
  readonly opened: number;
  readonly faults: readonly string[];
}

/** By the port of the server. */
const kept = new Map<number, readonly Kept[]>();

const api = {
  /** Opens so many of each kind; answers when all are there. */
  open: async (target: Target, count: number): Promise<void> => {
    const all = KINDS[target.protocol].map((open) => open(target, count));
    kept.set(target.port, all);
    await Promise.all(all.map(({ opened }) => opened));
  },
  /** Connections that stay are used from here on, or left alone. */
  use: ({ port }: Target, isUsed: boolean): void => {
    for (const { use } of kept.get(port) ?? []) use?.(isUsed);
  },
  /** To be asked when the server has ended its streams. */
  finish: async ({ port }: Target): Promise<KeptResult> => {
    const faults = await Promise.all((kept.get(port) ?? []).flatMap(({ faults }) => faults()));
    return { opened: faults.length, faults: faults.filter((fault) => fault !== undefined) };
  },
};

/** What a load of streams answers. */
export type StreamApi = typeof api;

answer(api);
