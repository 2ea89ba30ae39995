/** The figures of a run as Markdown. Pure. */
import { type Figures, faultsOf, type Injected } from "./figures.ts";

/** What was promised, and what came of it. */
export function countTable(figures: Figures): string {
  const { puts, rotations, hooks, starts, injected, combinedReads, resolvedReads } = figures;
  const rows: readonly (readonly [string, number])[] = [
    ["puts and deletes that etcd acknowledged", puts],
    ["faults injected", injected.length],
    ["rotations that a service took", rotations],
    ["hooks", hooks],
    ["starts of the daemon", starts],
    ["reads of the combined file", combinedReads],
    ["reads of a resolved generation", resolvedReads],
    ["**lost**: contents neither live nor reported", figures.lost.length],
    ["**torn**: reads of anything but a key with its certificate", figures.torn.length],
    ["**hooks for files that were not there**", figures.absent.length],
    ["**repeated**: rotations told to a service that had taken them", figures.repeated.length],
    ["**ends of the daemon by itself**", figures.exits.length],
  ];
  return table(
    ["", ""],
    rows.map(([what, count]) => [what, count.toLocaleString("en-US")]),
  );
}

/** How long recovery took after each kind of fault. */
export function recoveryTable(injected: readonly Injected[]): string {
  const names = [...new Set(injected.map(({ name }) => name))];
  const rows = names.map((name) => {
    const times = injected.filter((one) => one.name === name).map(({ recoveryMs }) => recoveryMs);
    times.sort((a, b) => a - b);
    return [name, String(times.length), seconds(times[times.length >> 1]), seconds(times.at(-1))];
  });
  return table(["fault", "times", "recovery, median", "worst"], rows);
}

/** The last line. */
export function verdictOf(figures: Figures): string {
  const faults = faultsOf(figures);
  return faults.length === 0 ? "every promise was kept" : `${faults.length} promises were broken`;
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? "" : `${(ms / 1_000).toFixed(2)} s`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}
