/** The reload queue: what may be asked for, each in the slot of its bundle; the newest content wins. */
import type { Bundle } from "../core/bundle.ts";
import type { Digest } from "../core/digest.ts";
import { messageOf } from "../core/errors.ts";
import type { Generation } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import type { ReloadOutcome, ReloadReason } from "../core/outcome.ts";
import { reload } from "./reload.ts";
import { type End, type OnEnd, type Ran, Slots } from "./slots.ts";
import type { ReloadTools } from "./step.ts";
import { endsOf } from "./way-back.ts";
import type { Job, Removal, Return, Rotation, Work } from "./work.ts";

/** How reloads are run. */
export interface QueueOptions extends ReloadTools {
  /** Bundles reloaded at the same time. */
  readonly concurrency: number;
  /** A wait drawn evenly from zero to this before new content is reloaded: a fleet then does not move in step. */
  readonly splayMs: number;
}

/** Serializes reloads. */
export class ReloadQueue {
  readonly #options: QueueOptions;
  readonly #slots: Slots;

  constructor(options: QueueOptions) {
    const { clock, concurrency, report } = options;
    this.#options = options;
    this.#slots = new Slots({
      clock,
      concurrency,
      run: (job, signal) => this.#run(job, signal),
      onDepth: (depth) => report({ type: "queue.changed", depth }),
    });
  }

  /** Whether something other than what is on disk may be on its way for this bundle. */
  isBusy(name: BundleName): boolean {
    return this.#slots.isBusy(name);
  }

  /** Makes this the content to be live. */
  offer(bundle: Bundle): void {
    this.#slots.place(this.#rotationOf(bundle), this.#options.splayMs);
  }

  /** The same at once, for an operator who waits for it. */
  offerNow(bundle: Bundle): Promise<ReloadOutcome> {
    return untilEnd((onEnd) => this.#slots.place(this.#rotationOf(bundle), 0, onEnd));
  }

  /** After a restart: the generation is current, and services are still to be told. */
  resume({ name, digest }: Generation, isPutBack: boolean): void {
    const told = new Set<string>();
    const resumed = { name, digest, told };
    this.#slots.place(
      isPutBack
        ? { ...resumed, kind: "remind", reason: "rolledBack", insists: true }
        : { ...resumed, kind: "rotate", bundle: null, reason: "retried", asked: null },
      0,
    );
  }

  /** Tells a service again of what is current, unless something else is on its way. */
  remind({ name, digest }: Generation, service: string): void {
    if (this.isBusy(name)) return;
    const others = this.#options.services.filter((one) => one.name !== service);
    const told = new Set(others.map((other) => other.name));
    this.#slots.place({ kind: "remind", name, digest, reason: "repaired", told, insists: false }, 0);
  }

  /** A service that was told again in vain serves what is current by now: that is found to be so, and it is not told. */
  acknowledge(generation: Generation, service: string): void {
    if (!this.#slots.isSettled(generation.name)) this.remind(generation, service);
  }

  /** Puts files right, unless something else is on its way. */
  repair(name: BundleName): void {
    if (!this.isBusy(name)) this.#slots.place({ kind: "repair", name }, 0);
  }

  /**
   * Goes back, in place of whatever is on its way.
   *
   * @throws KeyturnError BUNDLE_UNKNOWN, GENERATION_UNKNOWN, NOTHING_TO_DO; STORE_FAILED where nothing was changed.
   */
  async goBack(work: Return): Promise<ReloadOutcome> {
    endsOf(work, this.#options.store);
    return untilEnd((onEnd) => this.#slots.place(work, 0, onEnd));
  }

  /** Takes the bundle from disk, unless newer content comes first. */
  remove(name: BundleName): void {
    this.#slots.place({ kind: "remove", name }, 0);
  }

  /**
   * Takes no more work and waits for the reload that is running.
   *
   * @param deadline Aborts what still runs; it is finished after the next start.
   */
  close(deadline: AbortSignal): Promise<void> {
    return this.#slots.close(deadline);
  }

  #rotationOf(bundle: Bundle): Rotation {
    const { name, digest } = bundle;
    const next = this.#slots.nextOf(name);
    // Put again while a retry waits: the services that took it already are left in peace.
    const known = next?.kind === "rotate" && next.digest === digest ? next : undefined;
    const told = known?.told ?? new Set<string>();
    const asked = known === undefined ? new Set<string>() : known.asked;
    return { kind: "rotate", name, digest, bundle, reason: "rotated", told, asked };
  }

  #run(job: Job, signal: AbortSignal): Promise<Ran> {
    return job.kind === "remove" ? this.#remove(job) : this.#reload(job, signal);
  }

  async #reload(work: Work, signal: AbortSignal): Promise<Ran> {
    const { clock, report } = this.#options;
    const about = { bundle: work.name, ...this.#aboutOf(work) };
    report({ type: "reload.started", ...about });
    const begin = clock.monotonicMs();
    const { outcome, steps, again, thrown } = await reload(work, this.#options, signal);
    const timings = { totalMs: clock.monotonicMs() - begin, steps };
    const wasThrown = thrown !== undefined && !signal.aborted;
    return {
      end: wasThrown ? { ok: false, thrown } : { ok: true, outcome },
      isSettled: outcome.kind === "live" || outcome.kind === "unchanged",
      again,
      tell: (retryInMs) => report({ type: "reload.finished", ...about, outcome, timings, retryInMs }),
    };
  }

  /** The content it is about, and why services are told. */
  #aboutOf(work: Work): { readonly digest: Digest | null; readonly reason: ReloadReason } {
    if (work.kind === "rotate" || work.kind === "remind") return { digest: work.digest, reason: work.reason };
    const digest = this.#options.store.current(work.name)?.digest ?? null;
    return { digest, reason: work.kind === "return" ? "rolledBack" : "repaired" };
  }

  async #remove(removal: Removal): Promise<Ran> {
    const { store, report } = this.#options;
    const { name: bundle } = removal;
    let end: End = { ok: true, outcome: { kind: "interrupted" } };
    let kept: readonly string[] = [];
    try {
      kept = await store.remove(bundle);
    } catch (thrown) {
      end = { ok: false, thrown };
    }
    const failure = end.ok ? null : messageOf(end.thrown);
    return {
      end,
      isSettled: end.ok,
      again: end.ok ? null : removal,
      tell: () => {
        const others = kept.length > 0 ? { kept } : {};
        report({ type: "bundle.deleted", bundle, removed: end.ok, failure, ...others });
      },
    };
  }
}

async function untilEnd(begin: (onEnd: OnEnd) => void): Promise<ReloadOutcome> {
  const end = await new Promise<End>(begin);
  if (end.ok) return end.outcome;
  throw end.thrown;
}
