/** Everything that must not be, in words. Pure. */
import { codesOf, totalOf } from "./codes.ts";
import type { HandshakeResult } from "./handshakes.ts";
import { swapsIn } from "./lane.ts";
import type { MemoryResult } from "./memory.ts";
import type { HandshakePlan } from "./plan.ts";
import type { RequestResult } from "./requests.ts";

/** What was measured of handshakes, and how much was to be. */
export interface HandshakePart {
  readonly plan: HandshakePlan;
  readonly results: readonly HandshakeResult[];
}

/** Of new connections; what people write by hand may fail, and the table shows it. Times are the machine's. */
export function handshakeFaults({ plan, results }: HandshakePart): string[] {
  return results
    .filter(({ contender }) => !contender.isByHand)
    .flatMap((result) => {
      const swaps = swapsIn(result.turns) ?? 0;
      const tooFew = result.contender.isOurs && swaps < Math.max(1, plan.swaps);
      const faults = [...faultsOf(result), ...(tooFew ? [`${swaps} swaps are too few`] : [])];
      return faults.map((fault) => `${plan.clients} clients, ${result.contender.label}: ${fault}`);
    });
}

function faultsOf({ failures, serverFailures, kept }: HandshakeResult): string[] {
  const failed = totalOf(failures);
  const refused = totalOf(serverFailures);
  return [
    ...(failed === 0 ? [] : [`${failed} handshakes failed (${codesOf(failures)})`]),
    ...(refused === 0
      ? []
      : [`${refused} handshakes failed by the server's count (${codesOf(serverFailures)})`]),
    ...kept.faults,
  ];
}

/** Of connections that stay. */
export function requestFaults(results: readonly RequestResult[]): string[] {
  return results.flatMap(({ contender, failures }) => {
    const failed = totalOf(failures);
    return failed === 0 ? [] : [`${contender.label}: ${failed} requests failed (${codesOf(failures)})`];
  });
}

/** Of swaps one after another. */
export function memoryFaults({ stale }: MemoryResult): string[] {
  return stale === 0 ? [] : [`${stale} new connections got another certificate than the one just taken`];
}
