/** The process of one server: `server-program.ts WAY DIR`, asked by its parent. */

import { answer } from "./answers.ts";
import { codeOf } from "./codes.ts";
import { SWAP_EVERY_MS } from "./plan.ts";
import { TokenStreams } from "./token-streams.ts";
import { type Serving, WAYS, type WayName } from "./ways.ts";

/** What a server did in its turn. */
export interface Turn {
  /** Null where it does not know. */
  readonly swaps: number | null;
  /** User and system time. */
  readonly cpuMs: number;
}

/** What a process needs. */
export interface Memory {
  readonly residentMiB: number;
  readonly heapMiB: number;
}

const [way = "", dir = ""] = process.argv.slice(2);
const house = { streams: new TokenStreams(), failures: new Map<string, number>() };
let serving: Serving | undefined;
let timer: NodeJS.Timeout | undefined;
let [swapsBefore, cpuBefore] = [0, process.cpuUsage()];

async function look(): Promise<void> {
  try {
    await serving?.look?.();
  } catch (thrown) {
    const code = codeOf(thrown);
    house.failures.set(code, (house.failures.get(code) ?? 0) + 1);
  }
}

const api = {
  /** The port. */
  listen: async (): Promise<number> => {
    serving = await WAYS[way as WayName](dir, house);
    return serving.port;
  },
  /** From here on its streams go on, and it looks for the next certificate where it has to. */
  begin: (): void => {
    [swapsBefore, cpuBefore] = [serving?.swaps?.() ?? 0, process.cpuUsage()];
    timer = setInterval(() => {
      house.streams.tick();
      void look();
    }, SWAP_EVERY_MS);
  },
  /** Ends its turn. */
  pause: (): Turn => {
    clearInterval(timer);
    const { user, system } = process.cpuUsage(cpuBefore);
    const swaps = serving?.swaps?.();
    return { swaps: swaps === undefined ? null : swaps - swapsBefore, cpuMs: (user + system) / 1_000 };
  },
  /** Ends its streams. @returns Handshakes that failed, by code. */
  finish: (): ReadonlyMap<string, number> => {
    house.streams.finish();
    return house.failures;
  },
  /** Takes what is current. */
  reload: async (): Promise<void> => {
    await serving?.reload?.();
  },
  memory: (): Memory => {
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    return { residentMiB: rss / 2 ** 20, heapMiB: heapUsed / 2 ** 20 };
  },
};

/** What a server answers. */
export type ServerApi = typeof api;

answer(api);
