/** The numbers as Markdown. Pure. */
import { ms, percentile, table, times } from "../markdown.ts";
import { totalOf } from "./codes.ts";
import type { HandshakeResult } from "./handshakes.ts";
import { swapsIn } from "./lane.ts";
import type { MemoryResult } from "./memory.ts";
import type { RequestResult } from "./requests.ts";
import type { WayName } from "./ways.ts";

/** A part of a result, by round. */
interface Series<Turn> {
  readonly turns: readonly Turn[];
}

/** Each round's ratio to the floor's turn in the same round. */
function ratiosOf<Turn>(of: Series<Turn>, floor: Series<Turn>, value: (turn: Turn) => number): number[] {
  return of.turns.flatMap((turn, round) => {
    const beside = floor.turns[round];
    return beside === undefined ? [] : [value(turn) / value(beside)];
  });
}

/** The result of one contender. */
export function resultOf<R extends { readonly contender: { readonly way: WayName } }>(
  results: readonly R[],
  way: WayName,
): R {
  const found = results.find(({ contender }) => contender.way === way);
  if (found === undefined) throw new Error(`${way} did not take part`);
  return found;
}

/** New connections. */
export function handshakeTable(results: readonly HandshakeResult[]): string {
  const rows = results.map((result) => {
    const floor = resultOf(results, result.contender.floor);
    const latencies = result.turns.flatMap(({ latenciesMs }) => latenciesMs);
    const rates = ratiosOf(result, floor, ({ perSecond }) => perSecond);
    const costs = ratiosOf(result, floor, ({ cpuMs }) => cpuMs);
    const failed = totalOf(result.failures);
    const { opened, faults } = result.kept;
    return [
      result.contender.label,
      median(result.turns.map(({ perSecond }) => perSecond)).toFixed(0),
      ms(percentile(latencies, 0.5)),
      ms(percentile(latencies, 0.99)),
      times(median(rates)),
      spread(rates),
      `${median(result.turns.map(({ cpuMs }) => cpuMs)).toFixed(2)} ms`,
      times(median(costs)),
      swapsOf(result.turns),
      `${count(failed)} of ${count(result.handshakes + failed)}`,
      `${faults.length} of ${opened}`,
    ];
  });
  const ratios = ["to static's", "by round", "server's CPU each", "to static's"];
  return table(["", "per second", "p50", "p99", ...ratios, "swaps", "failed", "broken"], rows);
}

/** Requests on connections that stay. */
export function requestTable(results: readonly RequestResult[]): string {
  const rows = results.map((result) => {
    const floor = resultOf(results, result.contender.floor);
    const latencies = result.turns.flatMap(({ latenciesMs }) => latenciesMs);
    const ratios = ratiosOf(result, floor, ({ latenciesMs }) => mean(latenciesMs));
    return [
      result.contender.label,
      `${mean(latencies).toFixed(2)} ms`,
      `${percentile(latencies, 0.5).toFixed(2)} ms`,
      `${percentile(latencies, 0.99).toFixed(2)} ms`,
      times(median(ratios)),
      spread(ratios),
      swapsOf(result.turns),
      `${count(totalOf(result.failures))} of ${count(latencies.length)}`,
    ];
  });
  return table(["", "mean", "p50", "p99", "mean to static's", "by round", "swaps", "failed"], rows);
}

/** Memory. */
export function memoryTable({ samples }: MemoryResult): string {
  const [start] = samples;
  const rows = samples.map(({ swaps, residentMiB, heapMiB }) => [
    count(swaps),
    `${residentMiB.toFixed(0)} MiB`,
    times(residentMiB / (start?.residentMiB ?? Number.NaN)),
    `${heapMiB.toFixed(1)} MiB`,
  ]);
  return table(["swaps", "resident", "to the start", "JavaScript heap"], rows);
}

/** The middle of several rounds; of an even number of them, between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return mean([sorted[Math.floor(middle)] ?? Number.NaN, sorted[Math.ceil(middle)] ?? Number.NaN]);
}

/** With a comma for each thousand. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function swapsOf(turns: Parameters<typeof swapsIn>[0]): string {
  const swaps = swapsIn(turns);
  return swaps === null ? "" : count(swaps);
}

function spread(ratios: readonly number[]): string {
  return `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
}
