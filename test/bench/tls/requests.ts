/** Requests on connections that stay, while the certificate changes under them. */
import { addCounts } from "./codes.ts";
import { type Contender, ON_REQUESTS } from "./contenders.ts";
import { type Lane, openLane, orderOf, type Stand, takeTurn } from "./lane.ts";
import type { RequestPlan } from "./plan.ts";
import type { RequestApi } from "./request-program.ts";
import { startWorker, type Worker } from "./worker.ts";

/** One turn of one contender. */
interface RequestTurn {
  readonly latenciesMs: readonly number[];
  readonly swaps: number | null;
}

/** What a contender showed. */
export interface RequestResult {
  readonly contender: Contender;
  readonly turns: readonly RequestTurn[];
  readonly failures: ReadonlyMap<string, number>;
}

interface Loaded extends Lane {
  readonly load: Worker<RequestApi>;
  readonly turns: RequestTurn[];
  readonly failures: ReadonlyMap<string, number>[];
}

/** Opens all connections of all contenders, and lets these take turns. */
export async function measureRequests(stand: Stand, plan: RequestPlan): Promise<RequestResult[]> {
  const lanes: Loaded[] = [];
  for (const contender of ON_REQUESTS) {
    const lane = await openLane(stand, contender, `${contender.way}-requests`);
    const load = startWorker<RequestApi>(stand.scope, "requests");
    await load.ask("open", lane.target, plan.connections);
    lanes.push({ ...lane, load, turns: [], failures: [] });
  }
  for (let round = 0; round < 1 + plan.rounds; round++) {
    for (const lane of orderOf(lanes, round)) {
      const { seen, turn } = await takeTurn(stand, lane, () => lane.load.ask("run", plan));
      lane.failures.push(seen.failures);
      // What thousands of handshakes left behind is cleared away in the first.
      if (round > 0) lane.turns.push({ latenciesMs: seen.latenciesMs, swaps: turn.swaps });
    }
  }
  for (const { load, server } of lanes) for (const worker of [load, server]) await worker.stop();
  return lanes.map(({ contender, turns, failures }) => ({ contender, turns, failures: addCounts(failures) }));
}
