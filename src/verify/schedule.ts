/** Between rotations, looks at every service now and then: one that fell back to another certificate is told again. */
import { KeyturnError } from "../core/errors.ts";
import type { Report } from "../core/events.ts";
import type { Generation } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import { fullJitterMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Probes } from "./probes.ts";
import type { Mismatch } from "./verdict.ts";

/** A service that is looked at. */
export interface WatchedService extends Pick<Probes, "look"> {
  readonly name: string;
  readonly everyMs: number;
  uses(bundle: BundleName): boolean;
}

/** What to look at, and whom to tell. */
export interface ScheduleOptions {
  readonly services: readonly WatchedService[];
  /** Generations that are live on this node now. */
  readonly liveBundles: () => readonly Generation[];
  /** Whether a reload of the bundle waits or runs: it looks for itself. */
  readonly isBusy: (bundle: BundleName) => boolean;
  /** The service serves another certificate than the one of the bundle that is live. */
  readonly onMismatch: (service: string, bundle: BundleName, message: string) => void;
  /** The service serves it by now, after it did not and `onMismatch` was called. */
  readonly onRecovery: (service: string, bundle: BundleName) => void;
  readonly clock: Clock;
  readonly report: Report;
}

/** What is remembered of a service that serves something else. */
interface Trouble {
  /** Where another generation is live by now, this is void. */
  readonly generation: Generation["id"];
  readonly calls: number;
  /** On the monotonic clock. */
  readonly quietUntilMs: number;
}

/** Between the two looks that make a mismatch: the time a worker takes that is being replaced. */
const SECOND_LOOK_AFTER_MS = 500;
const JITTER = 0.1;
/** A service that stays wrong is told again after at most this many times its period. */
const MAX_PERIODS = 10;

/**
 * Looks at each service every `everyMs`, ten percent more or less so that services do not move in step, for the first
 * time after that time. Each has a loop of its own: one that hangs delays no other.
 *
 * Every look is reported, but for one that a reload came into. Two looks in a row that see another certificate call
 * `onMismatch`; while that does not help it is called ever more rarely, with full jitter up to ten times `everyMs`.
 * A service that does not answer, or whose chain is not accepted, is only reported: to be told again would not help it.
 * The first match after that calls `onRecovery`.
 *
 * Resolves when the signal is aborted and all have ended; rejects only over a fault of keyturn, which ends them too.
 */
export async function watchServed(options: ScheduleOptions, signal: AbortSignal): Promise<void> {
  const loops = options.services.map((service) => ({ service, stop: new AbortController() }));
  const stopAll = () => {
    for (const { stop } of loops) stop.abort(signal.reason);
  };
  // One listener for all: Node warns of a leak where many wait for one signal.
  signal.addEventListener("abort", stopAll);
  if (signal.aborted) stopAll();
  const ends = loops.map(({ service, stop }) => watchOne(service, options, stop.signal));
  try {
    await Promise.all(ends);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    signal.removeEventListener("abort", stopAll);
    stopAll();
    await Promise.allSettled(ends);
  }
}

async function watchOne(
  service: WatchedService,
  options: ScheduleOptions,
  signal: AbortSignal,
): Promise<void> {
  const troubles = new Map<BundleName, Trouble>();
  for (;;) {
    await options.clock.sleep(service.everyMs * (1 - JITTER + 2 * JITTER * Math.random()), signal);
    for (const generation of options.liveBundles()) {
      if (!service.uses(generation.name)) continue;
      try {
        await check(service, generation, troubles, options, signal);
      } catch (thrown) {
        // Files that cannot be read say nothing of the service, and are for the audit to find.
        if (!(thrown instanceof KeyturnError)) throw thrown;
      }
    }
  }
}

async function check(
  service: WatchedService,
  generation: Generation,
  troubles: Map<BundleName, Trouble>,
  options: ScheduleOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, onMismatch, onRecovery } = options;
  const { name, id } = generation;
  const look = () => lookUndisturbed(service, generation, options, signal);
  const known = troubles.get(name);
  const trouble = known?.generation === id ? known : undefined;
  const recover = () => {
    troubles.delete(name);
    if (trouble !== undefined) onRecovery(service.name, name);
  };

  // 1. What it serves now.
  const first = await look();
  if (first === "matches") recover();
  if (typeof first === "string" || first.kind !== "differs") return;
  if (trouble !== undefined && clock.monotonicMs() < trouble.quietUntilMs) return;

  // 2. The same a moment later: it is not only a worker on its way out.
  await clock.sleep(SECOND_LOOK_AFTER_MS, signal);
  const second = await look();
  if (second === "matches") recover();
  if (typeof second === "string" || second.kind !== "differs") return;

  // 3. It has to be told, and given time to take it.
  const calls = (trouble?.calls ?? 0) + 1;
  const backoff = { baseMs: service.everyMs, capMs: service.everyMs * MAX_PERIODS };
  troubles.set(name, {
    generation: id,
    calls,
    quietUntilMs: clock.monotonicMs() + fullJitterMs(calls, backoff),
  });
  onMismatch(service.name, name, second.message);
}

/** One look, reported, unless the generation was not the one to be served all the while. */
async function lookUndisturbed(
  service: WatchedService,
  generation: Generation,
  { liveBundles, isBusy, report }: ScheduleOptions,
  signal: AbortSignal,
): Promise<"matches" | "disturbed" | Mismatch> {
  const isDue = () =>
    !isBusy(generation.name) &&
    liveBundles().some(({ id, name }) => name === generation.name && id === generation.id);
  if (!isDue()) return "disturbed";
  const looked = await service.look(generation, signal);
  if (looked === null || !isDue()) return "disturbed";
  report(looked.event);
  return looked.verdict.kind === "matches" ? "matches" : looked.verdict;
}
