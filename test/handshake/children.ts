/** The processes that make handshakes for a test, as the system sees them. */
import { readdirSync, readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import { type HandshakeOptions, type Handshakes, startHandshakes } from "../../src/handshake/supervisor.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { mint, mintAuthority } from "../support/mint.ts";
import { until } from "../support/wait.ts";
import type { Presented } from "./candidate.ts";

/** Handshakes, and what is told of their children. */
export interface Stand extends Handshakes {
  /** Why children were lost. */
  readonly losses: string[];
}

/** A signal that is never aborted. */
export const NEVER = new AbortController().signal;
const PAGE_BYTES = 4_096;
/** A child that got a candidate of {@link heavy} is larger by this, and one that only started is not. */
const HEAVY_BYTES = 24 << 20;

/** Starts handshakes that are closed when the test is over. */
export function useHandshakes(t: TestContext, options: Partial<HandshakeOptions> = {}): Stand {
  const losses: string[] = [];
  const report = (event: DaemonEvent) => {
    if (event.type === "handshake.restarted") losses.push(event.why);
  };
  const handshakes = startHandshakes({ clock: systemClock, report, ...options });
  t.after(() => handshakes.close());
  return { ...handshakes, losses };
}

/** Children of a process that make handshakes. */
export function childrenOf(parent = process.pid): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statOf(pid).parent === parent && isRunning(pid))
    .filter((pid) => readProc(pid, "cmdline").includes("handshake/child."));
}

/** Whether a process has not ended. */
export function isRunning(pid: number): boolean {
  const { state } = statOf(pid);
  return state !== "" && state !== "Z";
}

/** Waits until there is one child and nothing else, and gives its process. */
export function onlyChild(but: readonly number[] = []): Promise<number> {
  return until("there is one child", () => {
    const [pid, ...others] = childrenOf();
    return others.length === 0 && pid !== undefined && !but.includes(pid) ? pid : undefined;
  });
}

/** Resident memory of a process in bytes; 0 where it is gone. */
export function rssOf(pid: number): number {
  return Number(readProc(pid, "statm").split(" ")[1] ?? 0) * PAGE_BYTES;
}

/** A good candidate that comes with so much trust that a child is busy with it for a while. */
export function heavy(): Presented {
  const root = mintAuthority("Root");
  return { chain: [mint({ issuer: root })], anchors: [{ ...root, pem: root.pem.repeat(20_000) }] };
}

/** Waits until a child other than those works on a candidate of {@link heavy}; gives its process. */
export function busyChild(idleBytes: number, but: readonly number[] = []): Promise<number> {
  return until("a child has the candidate", () =>
    childrenOf().find((pid) => !but.includes(pid) && rssOf(pid) > idleBytes + HEAVY_BYTES),
  );
}

function statOf(pid: number): { readonly state: string; readonly parent: number } {
  const stat = readProc(pid, "stat");
  // The name of the program is in brackets, and may hold any.
  const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state, parent: Number(parent) };
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    // It ended meanwhile.
    return "";
  }
}
