/**
 * Looks at every current certificate on its way to its end, warns once for each threshold, and says when the clock of
 * this node cannot be right.
 *
 *     look ─► due ─► reported (once in a process) ─► told ─► recorded: told once for good
 *                                             ▲                │
 *                                             └─ full jitter ◄─┴─ telling or recording failed
 *
 * Every look takes the date anew, so a clock that was stepped is seen by the next one. No bundle waits for another.
 */
import { messageOf } from "../core/errors.ts";
import type { Report } from "../core/events.ts";
import type { Generation } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import { fullJitterMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { type ExpiryWarning, type Memory, type Standing, Standings, type Warned } from "./standings.ts";
import type { ExpirySettings } from "./thresholds.ts";

/** What to watch, and whom to tell. */
export interface ExpiryOptions extends ExpirySettings {
  /** The current generation of every bundle. */
  readonly current: () => readonly Generation[];
  readonly warned: Warned;
  /** Puts these labels on the medium, in place of those that were told of the current generation before. */
  readonly recordWarned: (name: BundleName, thresholds: readonly string[]) => Promise<void>;
  readonly clock: Clock;
  readonly report: Report;
  /** True where it was told, or nobody is to be. Makes no further attempt once the signal is aborted. */
  readonly tell: (warning: ExpiryWarning, signal: AbortSignal) => Promise<boolean>;
  /** How often to look; a minute where it is not given. */
  readonly everyMs?: number;
}

const BACKOFF = { baseMs: 30_000, capMs: 1_800_000 };

/** Watches until the signal is aborted, and ends when what is under way has ended. */
export async function watchExpiry(options: ExpiryOptions, signal: AbortSignal): Promise<void> {
  const { current, clock, everyMs = 60_000 } = options;
  const watch = new ExpiryWatch(options, signal);
  while (!signal.aborted) {
    watch.look(current());
    await sleepUnlessAborted(clock, everyMs, signal);
  }
  await watch.finished();
}

class ExpiryWatch {
  readonly #options: ExpiryOptions;
  readonly #signal: AbortSignal;
  readonly #standings: Standings;
  readonly #underWay = new Set<Promise<void>>();
  #isClockBehind = false;

  constructor(options: ExpiryOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#standings = new Standings(options, options.warned);
  }

  look(generations: readonly Generation[]): void {
    this.#lookAtClock(generations);
    this.#standings.keepOnly(new Set(generations.map(({ name }) => name)));
    for (const generation of generations) this.#lookAt(generation);
  }

  /** A clock that was put right takes back what it showed; after a restart, what was told before is shown again. */
  #show({ name: bundle, leaf }: Generation, { memory, passed, remainingMs }: Standing): void {
    const [threshold = null] = passed;
    if (leaf === null || threshold === memory.shown) return;
    memory.shown = threshold;
    this.#options.report({ type: "certificate.standing", bundle, leaf, threshold, remainingMs });
  }

  async finished(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** What is current was within its time when it was found good. Said once, until the clock is right again. */
  #lookAtClock(generations: readonly Generation[]): void {
    const now = this.#options.clock.now();
    const early = generations.find(({ leaf }) => leaf !== null && Date.parse(leaf.notBefore) > now.getTime());
    const wasBehind = this.#isClockBehind;
    this.#isClockBehind = early !== undefined;
    if (wasBehind || !early?.leaf) return;
    this.#options.report({ type: "clock.behind", bundle: early.name, notBefore: early.leaf.notBefore });
  }

  #lookAt(generation: Generation): void {
    const standing = this.#standingOf(generation);
    if (standing === undefined) return;
    const { memory, warning, isRecorded } = standing;
    if (warning !== undefined && !memory.reported.has(warning.threshold)) {
      memory.reported.add(warning.threshold);
      memory.shown = warning.threshold;
      this.#options.report(warning);
    }
    this.#show(generation, standing);
    if (memory.busy || (warning === undefined && isRecorded)) return;
    memory.busy = true;
    const work = this.#finish(generation.name, memory).finally(() => {
      memory.busy = false;
      this.#underWay.delete(work);
    });
    this.#underWay.add(work);
  }

  /** Tells and records until nothing is left to do, or another certificate took the place of this one. */
  async #finish(name: BundleName, memory: Memory): Promise<void> {
    const { clock, report } = this.#options;
    for (let failures = 1; !this.#signal.aborted; failures++) {
      const failure = await this.#try(name, memory).catch(messageOf);
      if (failure === undefined || this.#signal.aborted) return;
      const retryInMs = fullJitterMs(failures, BACKOFF);
      report({ type: "expiry.delayed", bundle: name, message: failure, retryInMs });
      await sleepUnlessAborted(clock, retryInMs, this.#signal);
    }
  }

  /** Why it could not be done, in words; undefined where it was. */
  async #try(name: BundleName, memory: Memory): Promise<string | undefined> {
    const before = this.#standingNow(name);
    if (before?.memory !== memory) return undefined;
    if (before.warning !== undefined) {
      const isTold = await this.#options.tell(before.warning, this.#signal);
      if (!isTold) return `renewal.http could not be told of ${before.warning.threshold}`;
      for (const label of before.passed) memory.told.add(label);
    }
    // Asked anew: what is recorded belongs to the generation that is current now, which may be another.
    const after = this.#standingNow(name);
    if (after?.isRecorded === false) await this.#options.recordWarned(name, after.told);
    return undefined;
  }

  #standingNow(name: BundleName): Standing | undefined {
    const generation = this.#options.current().find((one) => one.name === name);
    return generation && this.#standingOf(generation);
  }

  #standingOf(generation: Generation): Standing | undefined {
    return this.#standings.of(generation, this.#options.clock.now());
  }
}

async function sleepUnlessAborted(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch((reason) => {
    if (!signal.aborted) throw reason;
  });
}
