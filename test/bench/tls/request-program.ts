/** A load of requests on connections that stay, at a steady pace. Asked by its parent. */
import { answer } from "./answers.ts";
import { codeOf } from "./codes.ts";
import { KeptConnection } from "./kept-connection.ts";
import type { Target } from "./target.ts";

/** What the clients saw. */
export interface Requests {
  /** From when each request was due. */
  readonly latenciesMs: readonly number[];
  /** Requests that failed, by code. */
  readonly failures: ReadonlyMap<string, number>;
}

/** The pace. */
export interface Pace {
  readonly perSecond: number;
  readonly warmMs: number;
  readonly turnMs: number;
}

const OPENED_AT_ONCE = 32;
const TICK_MS = 1;

const connections: KeptConnection[] = [];

async function open(target: Target, count: number): Promise<void> {
  const beOpener = async () => {
    while (connections.length + opening < count) {
      opening++;
      connections.push(await KeptConnection.open(target).finally(() => opening--));
    }
  };
  let opening = 0;
  await Promise.all(Array.from({ length: OPENED_AT_ONCE }, beOpener));
}

/** Whoever is answered late does not put off the others: requests go out when they are due. */
async function run({ perSecond, warmMs, turnMs }: Pace): Promise<Requests> {
  const latenciesMs: number[] = [];
  const failures = new Map<string, number>();
  const begin = performance.now();
  const count = ((warmMs + turnMs) / 1_000) * perSecond;
  const ask = async (index: number, dueMs: number) => {
    try {
      await connections[index % connections.length]?.ask();
      if (dueMs >= begin + warmMs) latenciesMs.push(performance.now() - dueMs);
    } catch (thrown) {
      const code = codeOf(thrown);
      failures.set(code, (failures.get(code) ?? 0) + 1);
    }
  };
  const asked: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(count, ((performance.now() - begin) / 1_000) * perSecond);
      while (asked.length < due) asked.push(ask(asked.length, begin + (asked.length / perSecond) * 1_000));
      if (asked.length < count) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  await Promise.all(asked);
  return { latenciesMs, failures };
}

const api = { open, run };

/** What a load of requests answers. */
export type RequestApi = typeof api;

answer(api);
