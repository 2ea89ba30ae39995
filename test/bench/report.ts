/** The numbers as Markdown, and what is wrong with them. Pure. */
import type { Fleet, Start } from "./fleet.ts";
import { ms, percentile, table, times } from "./markdown.ts";
import type { Plan } from "./plan.ts";
import type { Rotations } from "./rotations.ts";
import type { StepTimes } from "./step-times.ts";

/** Put → hook, and put → verified. */
export function rotationTable(results: readonly Rotations[]): string {
  const floor = medianOf(results, "floor");
  const verifiedFloor = medianOf(results, "floor-verified");
  const rows = results.map(({ contender, rounds, early, lost, extra }) => {
    const all = rounds.flat();
    const p50 = percentile(all, 0.5);
    const halves = rounds.map((round) => percentile(round, 0.5));
    return [
      contender.label,
      ...[p50, percentile(all, 0.9), percentile(all, 0.99)].map(ms),
      times(p50 / floor),
      contender.isVerified ? times(p50 / verifiedFloor) : "",
      `${Math.min(...halves).toFixed(1)} to ${Math.max(...halves).toFixed(1)}`,
      `${early} / ${lost} / ${extra}`,
    ];
  });
  const ratios = ["p50 to the floor's", "to that of floor, verified"];
  return table(["", "p50", "p90", "p99", ...ratios, "p50 by round", "early / lost / extra hooks"], rows);
}

/** Where the time of keyturn goes, as medians of the same rotations; each column adds up but for that. */
export function stepTable(results: readonly Rotations[]): string {
  const ours = results.flatMap(({ contender, steps }) => (steps === null ? [] : [{ contender, steps }]));
  const row = (what: string, part: (steps: StepTimes) => number) => [
    what,
    ...ours.map(({ steps }) => percentile(steps.map(part), 0.5)).map((p50) => (p50 > 0 ? ms(p50) : "")),
  ];
  return table(
    ["", ...ours.map(({ contender }) => contender.label)],
    [
      row("etcd, the watch, all checks, and the hook on its way", ({ otherMs }) => otherMs),
      row("the generation written and fsynced", ({ stageMs }) => stageMs),
      row("the flip", ({ activateMs }) => activateMs),
      row("the service of stage 1 told and looked at", ({ verifiedMs }) => verifiedMs),
    ],
  );
}

/** Many bundles. */
export function fleetTable({ bundles, first, cold, idle }: Fleet): string {
  const row = (what: string, { tookMs, hooks, usage }: Start) => [
    what,
    `${(tookMs / 1000).toFixed(2)} s (${(tookMs / bundles).toFixed(1)} ms each)`,
    String(hooks),
    `${Math.round(usage.residentMiB)} MiB`,
    `${Math.round(usage.peakMiB)} MiB`,
  ];
  const { usage, cpuMsPerSecond, forMs } = idle;
  return table(
    [`${bundles} bundles`, "", "hooks", "resident", "at most"],
    [
      row("first sync: all new, from spawn until all are live", first),
      row("cold start: none changed, from spawn until ready", cold),
      [
        `idle for ${forMs / 1000} s after that`,
        `${cpuMsPerSecond.toFixed(1)} ms of CPU each second`,
        "",
        `${Math.round(usage.residentMiB)} MiB`,
        `${Math.round(usage.peakMiB)} MiB`,
      ],
    ],
  );
}

/** Everything that must not be, in words; empty where all is well. Times are not judged: they are the machine's. */
export function faultsOf(results: readonly Rotations[], fleet: Fleet, { rotations }: Plan): string[] {
  const faults: string[] = [];
  for (const { contender, rounds, early, lost, extra } of results) {
    const { label } = contender;
    const where = contender.isVerified ? "was served" : "was on disk";
    if (early > 0) faults.push(`${label}: ${early} hooks arrived before their certificate ${where}`);
    if (lost > 0) faults.push(`${label}: ${lost} rotations were lost`);
    if (extra > 0 && contender.isOurs) faults.push(`${label}: ${extra} hooks that nothing was put for`);
    if (lost === 0 && rounds.flat().length !== rotations)
      faults.push(`${label}: it did not run every rotation`);
  }
  const { bundles, first, cold } = fleet;
  if (first.hooks !== bundles) faults.push(`first sync: ${first.hooks} hooks for ${bundles} bundles`);
  if (cold.hooks !== 0) faults.push(`cold start: ${cold.hooks} hooks, though nothing had changed`);
  return faults;
}

function medianOf(results: readonly Rotations[], name: string): number {
  return percentile(results.find(({ contender }) => contender.name === name)?.rounds.flat() ?? [], 0.5);
}
