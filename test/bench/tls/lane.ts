/** One contender: the process of its server, its bundle, and its turns. */
import type { Scope } from "../../support/scope.ts";
import type { Contender } from "./contenders.ts";
import { SWAP_EVERY_MS } from "./plan.ts";
import type { ServerApi, Turn } from "./server-program.ts";
import type { Target } from "./target.ts";
import type { Turner } from "./turner.ts";
import { startWorker, type Worker } from "./worker.ts";

/** What is measured on. */
export interface Stand {
  readonly turner: Turner;
  readonly scope: Scope;
}

/** A contender whose server listens. */
export interface Lane {
  readonly contender: Contender;
  readonly bundle: string;
  readonly server: Worker<ServerApi>;
  readonly target: Target;
}

/** Starts it. @param bundle A name that no other lane has. */
export async function openLane(
  { turner, scope }: Stand,
  contender: Contender,
  bundle: string,
): Promise<Lane> {
  const dir = await turner.add(bundle);
  const server = startWorker<ServerApi>(scope, "server", [contender.way, dir]);
  const port = await server.ask("listen");
  const { protocol } = contender;
  return { contender, bundle, server, target: { port, protocol, ca: turner.ca } };
}

/** Its turn: its bundle is turned while `load` goes on, whether it looks at it or not. */
export async function takeTurn<Seen>(
  { turner }: Stand,
  { server, bundle }: Lane,
  load: () => Promise<Seen>,
): Promise<{ readonly seen: Seen; readonly turn: Turn }> {
  await server.ask("begin");
  const endTurning = turner.keepTurning(bundle, SWAP_EVERY_MS);
  const seen = await load();
  await endTurning();
  return { seen, turn: await server.ask("pause") };
}

/** Swaps in several turns; null where it does not know. */
export function swapsIn(turns: readonly Pick<Turn, "swaps">[]): number | null {
  return turns.reduce<number | null>((sum, { swaps }) => (swaps === null ? null : (sum ?? 0) + swaps), null);
}

/** In every second round the other way round: what grows with time then hits all alike. */
export function orderOf<T>(all: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? all : [...all].reverse();
}
