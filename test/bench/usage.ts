/** What a process and its descendants use, from Linux's /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Sums over a process and its descendants; pages that they share count for each of them. */
export interface Usage {
  /** User and system time since the start, in steps of 10 ms. */
  readonly cpuMs: number;
  readonly residentMiB: number;
  /** The sum of what each had at most. */
  readonly peakMiB: number;
  readonly processes: number;
}

/** Linux tells times in hundredths of a second, whatever the kernel counts in. */
const TICK_MS = 10;

/** Reads the usage of a process that runs. */
export function usageOf(pid: number): Usage {
  const pids = familyOf(pid);
  const statuses = pids.map((one) => readFileSync(`/proc/${one}/status`, "utf8"));
  return {
    cpuMs: sum(pids.map(cpuOf)),
    residentMiB: sum(statuses.map((text) => mebibytes(text, "VmRSS"))),
    peakMiB: sum(statuses.map((text) => mebibytes(text, "VmHWM"))),
    processes: pids.length,
  };
}

function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const fields = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (fields !== undefined) parents.set(Number(name), Number(fields[1]));
  }
  const family = [pid];
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.push(child);
  }
  return family;
}

function cpuOf(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields?.[11]) + Number(fields?.[12])) * TICK_MS;
}

/** The fields of proc(5)'s stat from the state on: the name before it may hold spaces and brackets. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    // It ended between the listing and the look.
    return undefined;
  }
}

function mebibytes(status: string, name: string): number {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  return Number(kibibytes ?? 0) / 1024;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
