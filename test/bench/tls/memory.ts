/** What a server of keyturn's needs after thousands of swaps, one after another as fast as they go. */
import { shakeHands } from "../../support/handshakes.ts";
import { ON_HANDSHAKES } from "./contenders.ts";
import { openLane, type Stand } from "./lane.ts";
import type { Memory } from "./server-program.ts";

/** Memory after so many swaps. */
interface Sample extends Memory {
  readonly swaps: number;
}

/** What was seen. */
export interface MemoryResult {
  readonly samples: readonly Sample[];
  readonly tookMs: number;
  /** New connections that got another certificate than the one that was just taken. */
  readonly stale: number;
}

/** Swaps and looks, one new connection after each swap. @param after When to look at the memory, in ascending order. */
export async function measureMemory(stand: Stand, after: readonly number[]): Promise<MemoryResult> {
  const contender = ON_HANDSHAKES.find(({ way }) => way === "keyturn");
  if (contender === undefined) throw new Error("keyturn does not take part");
  const { server, target, bundle } = await openLane(stand, contender, "memory");
  let stale = 0;
  const swap = async () => {
    const fingerprint = await stand.turner.turn(bundle);
    await server.ask("reload");
    if ((await shakeHands({ ...target, serverName: "inference.local" })) !== fingerprint) stale++;
  };
  // What is loaded once is not what swaps cost.
  await swap();
  const samples: Sample[] = [{ swaps: 0, ...(await server.ask("memory")) }];
  const begin = performance.now();
  for (let swaps = 1; swaps <= Math.max(...after); swaps++) {
    await swap();
    if (after.includes(swaps)) samples.push({ swaps, ...(await server.ask("memory")) });
  }
  const tookMs = performance.now() - begin;
  await server.stop();
  return { samples, tookMs, stale };
}
