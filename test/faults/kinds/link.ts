/** Faults of the links between the node and etcd. */

import type { TcpProxy } from "../../support/tcp-proxy.ts";
import type { Draw, Fault } from "../bench/fault.ts";
import type { Stand } from "../bench/stand.ts";

const LINKED = () => true;
/** Enough for a session to be made, and for little more. */
const [FEWEST_BYTES, MOST_BYTES] = [1, 40_000];
const SLOW_BYTES_PER_SECOND = 30_000;

export const LINK_FAULTS: readonly Fault[] = [
  {
    name: "every link is cut, several times",
    group: "link",
    weight: 6,
    fits: LINKED,
    inject: async ({ links }, { dice, linger }) => {
      for (let left = dice.between(1, 4); left > 0; left--) {
        for (const link of links) link.cut();
        await linger(150);
      }
    },
  },
  {
    name: "links are cut after some bytes, wherever that is",
    group: "link",
    weight: 5,
    fits: LINKED,
    inject: async ({ links }, { dice, linger }) => {
      for (const link of links) link.cutAfter(dice.between(FEWEST_BYTES, MOST_BYTES));
      for (const link of links) link.cut();
      await linger(1_200);
      for (const link of links) link.cutAfter(Number.POSITIVE_INFINITY);
      // Those that were made meanwhile still have their limit.
      for (const link of links) link.cut();
    },
  },
  {
    name: "links are refused",
    group: "link",
    weight: 5,
    fits: LINKED,
    inject: during("refuse", 1_500, 60_000),
  },
  {
    name: "a live link is a black hole (half-open), and so are new ones",
    group: "link",
    weight: 3,
    fits: LINKED,
    inject: during("blackhole", 2_000, 20_000),
  },
  {
    name: "new links are accepted, and nothing is ever said on them",
    group: "link",
    weight: 3,
    fits: LINKED,
    inject: async (stand, draw) => {
      await setAll(stand.links, "silent");
      for (const link of stand.links) link.cut();
      await draw.linger(1_500, 12_000);
      await setAll(stand.links, "pass");
    },
  },
  {
    name: "links are slow",
    group: "link",
    weight: 2,
    fits: LINKED,
    inject: async ({ links }, { linger }) => {
      for (const link of links) link.throttle(SLOW_BYTES_PER_SECOND);
      for (const link of links) link.cut();
      await linger(1_500, 10_000);
      for (const link of links) link.throttle(Number.POSITIVE_INFINITY);
      for (const link of links) link.cut();
    },
  },
];

type Mode = Parameters<TcpProxy["set"]>[0];

function during(mode: Mode, usualMs: number, longestMs: number) {
  return async ({ links }: Stand, { linger }: Draw) => {
    await setAll(links, mode);
    await linger(usualMs, longestMs);
    await setAll(links, "pass");
  };
}

async function setAll(links: readonly TcpProxy[], mode: Mode): Promise<void> {
  await Promise.all(links.map((link) => link.set(mode)));
}
