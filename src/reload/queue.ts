/**
 * The reload queue. Each bundle has a slot; never two reloads of one bundle at a time, and the newest content wins.
 *
 *     offer ─► next ──(p-queue: a free place)──► running ─► done
 *               ▲  newer content replaces it        │ ▲ newer content aborts it
 *               └──────── full-jitter wait ◄────────┘   pending or failed
 */
import PQueue from "p-queue";
import type { Bundle } from "../core/bundle.ts";
import type { Digest } from "../core/digest.ts";
import { messageOf } from "../core/errors.ts";
import type { Report } from "../core/events.ts";
import type { Generation } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import { fullJitterMs } from "../runtime/backoff.ts";
import { type ReloadTools, reload, type Work } from "./reload.ts";

/** How reloads are run. */
export interface QueueOptions extends ReloadTools {
  /** Bundles reloaded at the same time. */
  readonly concurrency: number;
  /** A wait drawn evenly from zero to this before new content is reloaded: a fleet then does not move in step. */
  readonly splayMs: number;
  readonly report: Report;
}

/** What a slot does next: make content live, or take the bundle from disk. */
type Task = Work | { readonly name: BundleName; readonly digest: null };

interface Slot {
  next: Task | undefined;
  running: { readonly digest: Digest | null; readonly abort: AbortController } | undefined;
  /** A wait before the next run: splay, or backoff. */
  waiting: AbortController | undefined;
  /** A place in the queue was asked for. */
  queued: boolean;
  /** Reloads in a row that did not end live. */
  failures: number;
}

const RETRY_BACKOFF = { baseMs: 1_000, capMs: 30_000 };

/** Serializes reloads. */
export class ReloadQueue {
  readonly #options: QueueOptions;
  readonly #queue: PQueue;
  readonly #slots = new Map<BundleName, Slot>();
  #closed = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  /** Whether something other than what is on disk may be on its way for this bundle. */
  isBusy(name: BundleName): boolean {
    const slot = this.#slots.get(name);
    return slot !== undefined && (slot.next !== undefined || slot.running !== undefined);
  }

  /** Makes this the content to be live. What was waiting is dropped; what is running is aborted, unless it is the same. */
  offer(bundle: Bundle): void {
    const { name, digest } = bundle;
    const { next } = this.#slotOf(name);
    // Put again while a retry waits: the services that took it already are left in peace.
    const told = next !== undefined && next.digest === digest ? next.told : new Set<string>();
    this.#place({ name, digest, bundle, reason: "rotated", told }, this.#options.splayMs);
  }

  /** After a restart: the generation is current, and the services are still to be told. */
  resume({ name, digest }: Generation): void {
    this.#place({ name, digest, bundle: null, reason: "retried", told: new Set() }, 0);
  }

  /** Takes the bundle from disk, unless newer content comes first. */
  remove(name: BundleName): void {
    this.#place({ name, digest: null }, 0);
  }

  /**
   * Takes no more work and waits for the reload that is running.
   *
   * @param deadline Aborts what still runs; it is finished after the next start.
   */
  async close(deadline: AbortSignal): Promise<void> {
    this.#closed = true;
    this.#queue.clear();
    for (const slot of this.#slots.values()) stopWaiting(slot);
    const abortAll = () => {
      for (const slot of this.#slots.values()) slot.running?.abort.abort();
    };
    deadline.addEventListener("abort", abortAll, { once: true });
    if (deadline.aborted) abortAll();
    await this.#queue.onIdle();
    deadline.removeEventListener("abort", abortAll);
  }

  #place(task: Task, waitMs: number): void {
    if (this.#closed) return;
    const slot = this.#slotOf(task.name);
    // The same content is on its way already; unless that run was broken off for other content that is gone again.
    if (slot.running?.digest === task.digest && !slot.running.abort.signal.aborted) {
      slot.next = undefined;
      return;
    }
    // Kept through a newer put, so that a busy prefix does not put a reload off for ever.
    const waitsAlready = slot.next !== undefined && slot.waiting !== undefined && slot.failures === 0;
    slot.next = task;
    slot.failures = 0;
    slot.running?.abort.abort();
    if (slot.running !== undefined || waitsAlready) return;
    stopWaiting(slot);
    this.#enqueueAfter(slot, Math.random() * waitMs);
  }

  #enqueueAfter(slot: Slot, waitMs: number): void {
    if (waitMs <= 0) {
      this.#enqueue(slot);
      return;
    }
    const waiting = new AbortController();
    slot.waiting = waiting;
    this.#options.clock.sleep(waitMs, waiting.signal).then(
      () => {
        slot.waiting = undefined;
        this.#enqueue(slot);
      },
      (reason: unknown) => {
        if (!waiting.signal.aborted) throw reason;
      },
    );
  }

  #enqueue(slot: Slot): void {
    if (slot.queued || this.#closed) return;
    slot.queued = true;
    this.#queue.add(() => this.#run(slot));
    this.#reportDepth();
  }

  async #run(slot: Slot): Promise<void> {
    slot.queued = false;
    const task = slot.next;
    slot.next = undefined;
    if (task === undefined) return;
    const abort = new AbortController();
    slot.running = { digest: task.digest, abort };
    if (task.digest === null) await this.#remove(slot, task.name);
    else await this.#reload(slot, task, abort.signal);
    if (slot.next !== undefined && slot.waiting === undefined) this.#enqueue(slot);
    this.#reportDepth();
  }

  async #reload(slot: Slot, work: Work, signal: AbortSignal): Promise<void> {
    const { clock, report } = this.#options;
    const { name: bundle, digest, reason } = work;
    report({ type: "reload.started", bundle, digest, reason });
    const begin = clock.monotonicMs();
    const { outcome, steps } = await reload(work, this.#options, signal);
    slot.running = undefined;
    if (outcome.kind === "live" || outcome.kind === "unchanged") slot.failures = 0;
    const again = outcome.kind === "pending" || outcome.kind === "failed";
    const retryInMs = again && slot.next === undefined ? this.#retry(slot, work) : null;
    const timings = { totalMs: clock.monotonicMs() - begin, steps };
    report({ type: "reload.finished", bundle, digest, reason, outcome, timings, retryInMs });
  }

  async #remove(slot: Slot, bundle: BundleName): Promise<void> {
    let failure: string | null = null;
    try {
      await this.#options.store.remove(bundle);
    } catch (thrown) {
      failure = messageOf(thrown);
    }
    slot.running = undefined;
    if (failure === null) slot.failures = 0;
    else if (slot.next === undefined) this.#retry(slot, { name: bundle, digest: null });
    this.#options.report({ type: "bundle.deleted", bundle, removed: failure === null, failure });
  }

  #retry(slot: Slot, task: Task): number | null {
    if (this.#closed) return null;
    const retryInMs = fullJitterMs(++slot.failures, RETRY_BACKOFF);
    slot.next = task.digest === null ? task : { ...task, reason: "retried" };
    this.#enqueueAfter(slot, retryInMs);
    return retryInMs;
  }

  #slotOf(name: BundleName): Slot {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot: Slot = {
      next: undefined,
      running: undefined,
      waiting: undefined,
      queued: false,
      failures: 0,
    };
    this.#slots.set(name, slot);
    return slot;
  }

  #reportDepth(): void {
    this.#options.report({ type: "queue.changed", depth: this.#queue.size });
  }
}

function stopWaiting(slot: Slot): void {
  slot.waiting?.abort();
  slot.waiting = undefined;
}
