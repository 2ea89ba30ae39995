/** The part that is printed, and that `--write` keeps in BENCHMARKS.md. Pure. */
import { legend } from "../markdown.ts";
import { ON_HANDSHAKES, ON_REQUESTS } from "./contenders.ts";
import type { HandshakePart } from "./faults.ts";
import { KEPT } from "./handshakes.ts";
import type { MemoryResult } from "./memory.ts";
import { type Plan, SWAP_EVERY_MS } from "./plan.ts";
import { count, handshakeTable, median, memoryTable, requestTable, resultOf } from "./report.ts";
import type { RequestResult } from "./requests.ts";
import type { WayName } from "./ways.ts";

/** What the part is made of. */
export interface Measured {
  readonly plan: Plan;
  /** By few clients, and by a crowd. */
  readonly handshakes: readonly [HandshakePart, HandshakePart];
  readonly requests: readonly RequestResult[];
  readonly memory: MemoryResult;
  readonly machine: string;
  /** YYYY-MM-DD. */
  readonly date: string;
}

/** The part, in Markdown. */
export function pageOf({ plan, handshakes, requests, memory, machine, date }: Measured): string {
  const [first, crowd] = handshakes;
  const pace = plan.requests;
  return `## What hot swapping costs a service

Measured on ${date} by \`npm run bench:tls -- --write\`, in one run, all traffic on 127.0.0.1:

${machine}

Each server is a process of its own, with HTTP/1.1 and HTTP/2 on one port or with gRPC, and so are the loads on it. The bundles are real
(leaf, intermediate, key and root on P-256), turned every ${SWAP_EVERY_MS} ms by the daemon's own store while a contender has its turn: also
beside the static server, which looks at none of it, so that what writes them costs all alike. The contenders take
turns, in every second round in reverse. Ratios are medians over rounds, each of a turn to that of the static server of the
same protocol in the same round; how far they moved shows how much noise there was. Compare rows, not machines. \`--quick\` is for CI.

### New connections

Clients that make one connection after another, each in full (TLS 1.3, no session is resumed), its chain and name checked,
and end it in good order; ${count(crowd.plan.clients)} at once are a crowd in which each waits for the others. Beside them, from the first round to
the last: ${KEPT} streams of server-sent events, ${KEPT} HTTP/2 streams, and ${KEPT} connections with a request every ${SWAP_EVERY_MS} ms; or
${KEPT} gRPC streams. A stream is broken where not every byte of it came, and a connection where it had to be made again.

${handshakes.map(partOf).join("\n\n")}

${legend(ON_HANDSHAKES)}

Clients cost more than the server here, and both are on the same processors: what the server alone spends on each
handshake, its swaps included, says more of it than what comes of both. By the first table a swap costs about ${swapCostMs(first).toFixed(1)} ms
of one processor, of which the proof before it is a good part.

### Requests on ${count(pace.connections)} connections

As many connections as one process may hold here, up to 10,000, stay open to each server at the same time; ${count(pace.perSecond)} requests a second go
over them in turn, ${pace.rounds} rounds of ${pace.turnMs / 1_000} s each. The latency is from when a request is due. Every answer says which certificate is
served. An article reports 3.1 ms against 8.2 ms on average, at 10,000 connections, for an atomic swap against a lock. This is
the same question on this machine, and nothing more: in Node one thread serves all connections, so that a lock is not fought
over, but waited for while files are read; and of either server's time most is what the connections themselves need.

${requestTable(requests)}

${legend(ON_REQUESTS)}

### Memory

One server of keyturn's, one swap after another and one new connection after each; after a garbage collection.
${count(memory.samples.at(-1)?.swaps ?? 0)} swaps took ${(memory.tookMs / 1_000).toFixed(0)} s with the writing of their bundles, and ${memory.stale} of the connections got another certificate than the last.

${memoryTable(memory)}
`;
}

/** What the server spends beyond the floor's in the time between two swaps. */
function swapCostMs({ results }: HandshakePart): number {
  const cpuMsOf = (way: WayName) => median(resultOf(results, way).turns.map(({ cpuMs }) => cpuMs));
  const perSecond = median(resultOf(results, "keyturn").turns.map((turn) => turn.perSecond));
  return ((cpuMsOf("keyturn") - cpuMsOf("static")) * perSecond * SWAP_EVERY_MS) / 1_000;
}

function partOf({ plan, results }: HandshakePart): string {
  const { clients, rounds, roundsOfAll, turnMs } = plan;
  const all = roundsOfAll < rounds ? `; those by hand in the first ${roundsOfAll}` : "";
  return `${count(clients)} clients, ${rounds} rounds of ${turnMs / 1_000} s each${all}:

${handshakeTable(results)}`;
}
