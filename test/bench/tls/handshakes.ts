/** New connections all the time, while streams and connections stay: what each contender made of it. */
import { addCounts } from "./codes.ts";
import { type Contender, ON_HANDSHAKES } from "./contenders.ts";
import type { HandshakeApi } from "./handshake-program.ts";
import { type Lane, openLane, orderOf, type Stand, swapsIn, takeTurn } from "./lane.ts";
import type { HandshakePlan } from "./plan.ts";
import type { KeptResult, StreamApi } from "./stream-program.ts";
import { startWorker, type Worker } from "./worker.ts";

/** One turn of one contender. */
interface HandshakeTurn {
  readonly latenciesMs: readonly number[];
  readonly perSecond: number;
  /** Of the server, for each handshake. */
  readonly cpuMs: number;
  readonly swaps: number | null;
}

/** What a contender showed. */
export interface HandshakeResult {
  readonly contender: Contender;
  readonly turns: readonly HandshakeTurn[];
  readonly handshakes: number;
  /** As its clients counted them, by code. */
  readonly failures: ReadonlyMap<string, number>;
  /** As its server counted them, by code. */
  readonly serverFailures: ReadonlyMap<string, number>;
  /** Streams and connections that were open from the first round to the last, and what is wrong with them. */
  readonly kept: KeptResult;
}

interface Loaded extends Lane {
  readonly turns: HandshakeTurn[];
  readonly failures: ReadonlyMap<string, number>[];
  handshakes: number;
}

/** Where load comes from, for all contenders. */
interface Loads {
  readonly handshakes: readonly Worker<HandshakeApi>[];
  readonly streams: Worker<StreamApi>;
}

/** Clients need more of a processor than the server does. */
const LOADS = 2;
/** Of each kind. */
export const KEPT = 8;
/** Where keyturn swaps too seldom, it is not waited for without end. */
const MOST_TIMES = 3;

/** Lets the contenders take turns. */
export async function measureHandshakes(stand: Stand, plan: HandshakePlan): Promise<HandshakeResult[]> {
  const { scope } = stand;
  const streams = startWorker<StreamApi>(scope, "streams");
  const handshakes = Array.from({ length: LOADS }, () => startWorker<HandshakeApi>(scope, "handshakes"));
  const loads = { streams, handshakes };
  const lanes: Loaded[] = [];
  for (const lane of await Promise.all(ON_HANDSHAKES.map((contender) => open(stand, contender, plan)))) {
    await streams.ask("open", lane.target, KEPT);
    await streams.ask("use", lane.target, false);
    lanes.push({ ...lane, turns: [], failures: [], handshakes: 0 });
  }
  for (let round = 0; isDue(round, plan, lanes); round++) {
    const all = round < plan.roundsOfAll ? lanes : lanes.filter(({ contender }) => !contender.isByHand);
    for (const lane of orderOf(all, round)) await shake(stand, lane, loads, plan);
  }
  const results: HandshakeResult[] = [];
  for (const lane of lanes) results.push(await finish(lane, streams));
  for (const worker of [streams, ...handshakes]) await worker.stop();
  return results;
}

function isDue(round: number, { rounds, swaps }: HandshakePlan, lanes: readonly Loaded[]): boolean {
  if (round < rounds) return true;
  const done = lanes.filter(({ contender }) => contender.isOurs).map(({ turns }) => swapsIn(turns) ?? 0);
  return Math.min(...done) < swaps && round < rounds * MOST_TIMES;
}

function open(stand: Stand, contender: Contender, { clients }: HandshakePlan): Promise<Lane> {
  return openLane(stand, contender, `${contender.way.toLowerCase()}-${clients}`);
}

async function shake(
  stand: Stand,
  lane: Loaded,
  { handshakes, streams }: Loads,
  { clients, warmMs, turnMs }: HandshakePlan,
): Promise<void> {
  await streams.ask("use", lane.target, true);
  const { seen, turn } = await takeTurn(stand, lane, () =>
    Promise.all(handshakes.map((load) => load.ask("run", lane.target, clients / LOADS, warmMs, turnMs))),
  );
  await streams.ask("use", lane.target, false);
  const latenciesMs = seen.flatMap((one) => one.latenciesMs);
  const count = seen.reduce((sum, one) => sum + one.count, 0);
  const perSecond = latenciesMs.length / (turnMs / 1_000);
  lane.turns.push({ latenciesMs, perSecond, cpuMs: turn.cpuMs / count, swaps: turn.swaps });
  lane.failures.push(...seen.map((one) => one.failures));
  lane.handshakes += count;
}

async function finish(lane: Loaded, streams: Worker<StreamApi>): Promise<HandshakeResult> {
  const { contender, turns, handshakes, failures, server, target } = lane;
  const serverFailures = await server.ask("finish");
  const kept = await streams.ask("finish", target);
  await server.stop();
  return { contender, turns, handshakes, failures: addCounts(failures), serverFailures, kept };
}
