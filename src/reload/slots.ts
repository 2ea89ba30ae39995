/**
 * A slot for each bundle: what runs, and the one thing that is next.
 *
 *     place ─► next ──(p-queue: a free place)──► running ─► done
 *               ▲  a newer job replaces it          │ ▲ a newer job aborts it
 *               └──────── full-jitter wait ◄────────┘   to be tried again
 */
import { setMaxListeners } from "node:events";
import PQueue from "p-queue";
import type { BundleName } from "../core/names.ts";
import type { ReloadOutcome } from "../core/outcome.ts";
import { fullJitterMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Job } from "./work.ts";

/** How a job ended: with an outcome, or with what was thrown. */
export type End =
  | { readonly ok: true; readonly outcome: ReloadOutcome }
  | { readonly ok: false; readonly thrown: unknown };

/** Takes the end of a job that somebody waits for. */
export type OnEnd = (end: End) => void;

/** What running a job came to. */
export interface Ran {
  readonly end: End;
  /** What was to be is: the next failure is the first one again. */
  readonly isSettled: boolean;
  /** What is to be tried again later, unless something newer came. */
  readonly again: Job | null;
  /** Told in how many milliseconds that will be; null for not at all. */
  readonly tell: (retryInMs: number | null) => void;
}

/** How jobs are run. */
export interface SlotOptions {
  readonly clock: Clock;
  /** Jobs that run at the same time. */
  readonly concurrency: number;
  /** Never rejects. */
  readonly run: (job: Job, signal: AbortSignal) => Promise<Ran>;
  /** How many jobs wait for a place. */
  readonly onDepth: (depth: number) => void;
}

interface Task {
  readonly job: Job;
  readonly onEnd: OnEnd[];
}

interface Slot {
  next: Task | undefined;
  running: (Task & { readonly abort: AbortController }) | undefined;
  /** A wait before the next run: splay, or backoff. */
  waiting: AbortController | undefined;
  /** A place in the queue was asked for. */
  queued: boolean;
  /** Runs in a row that did not come to what was to be. */
  failures: number;
  /** Whether the last run that was not broken off came to what was to be. */
  isSettled: boolean;
}

const RETRY_BACKOFF = { baseMs: 1_000, capMs: 30_000 };
const INTERRUPTED: End = { ok: true, outcome: { kind: "interrupted" } };

/** Never two jobs of one bundle at a time. */
export class Slots {
  readonly #options: SlotOptions;
  readonly #queue: PQueue;
  readonly #slots = new Map<BundleName, Slot>();
  #closed = false;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  /** Whether anything runs or is to run for this bundle. */
  isBusy(name: BundleName): boolean {
    const slot = this.#slots.get(name);
    return slot !== undefined && (slot.next !== undefined || slot.running !== undefined);
  }

  /** Whether the last job of this bundle came to what was to be. */
  isSettled(name: BundleName): boolean {
    return this.#slots.get(name)?.isSettled ?? true;
  }

  /** What is next for this bundle. */
  nextOf(name: BundleName): Job | undefined {
    return this.#slots.get(name)?.next?.job;
  }

  /**
   * Makes this the next job of its bundle, after a wait drawn evenly from zero to `waitMs`. What was next is dropped;
   * what is running is aborted, unless it is the same.
   */
  place(job: Job, waitMs: number, ...onEnd: OnEnd[]): void {
    if (this.#closed) {
      for (const end of onEnd) end(INTERRUPTED);
      return;
    }
    const slot = this.#slotOf(job.name);
    const { running } = slot;
    // The same content is on its way already; unless that run was broken off for other content that is gone again.
    if (running !== undefined && isSame(running.job, job) && !running.abort.signal.aborted) {
      replaceNext(slot, undefined);
      running.onEnd.push(...onEnd);
      return;
    }
    // Kept through a newer put, so that a busy prefix does not put a reload off for ever.
    const waitsAlready = slot.next !== undefined && slot.waiting !== undefined && slot.failures === 0;
    replaceNext(slot, { job, onEnd });
    slot.failures = 0;
    running?.abort.abort();
    if (running !== undefined || (waitsAlready && waitMs > 0)) return;
    stopWaiting(slot);
    this.#enqueueAfter(slot, Math.random() * waitMs);
  }

  /**
   * Takes no more jobs and waits for those that run.
   *
   * @param deadline Aborts what still runs.
   */
  async close(deadline: AbortSignal): Promise<void> {
    this.#closed = true;
    this.#queue.clear();
    for (const slot of this.#slots.values()) {
      stopWaiting(slot);
      replaceNext(slot, undefined);
    }
    const abortAll = () => {
      for (const slot of this.#slots.values()) slot.running?.abort.abort();
    };
    deadline.addEventListener("abort", abortAll, { once: true });
    if (deadline.aborted) abortAll();
    await this.#queue.onIdle();
    deadline.removeEventListener("abort", abortAll);
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
    this.#options.onDepth(this.#queue.size);
  }

  async #run(slot: Slot): Promise<void> {
    slot.queued = false;
    const task = slot.next;
    slot.next = undefined;
    if (task === undefined) return;
    const abort = new AbortController();
    // Every service of a stage listens; Node would take more than ten for a leak.
    setMaxListeners(0, abort.signal);
    slot.running = { ...task, abort };
    const { end, isSettled, again, tell } = await this.#options.run(task.job, abort.signal);
    slot.running = undefined;
    if (isSettled) slot.failures = 0;
    if (!abort.signal.aborted) slot.isSettled = isSettled;
    tell(again !== null && slot.next === undefined ? this.#retry(slot, again) : null);
    for (const each of task.onEnd) each(end);
    if (slot.next !== undefined && slot.waiting === undefined) this.#enqueue(slot);
    this.#options.onDepth(this.#queue.size);
  }

  #retry(slot: Slot, job: Job): number | null {
    if (this.#closed) return null;
    const retryInMs = fullJitterMs(++slot.failures, RETRY_BACKOFF);
    slot.next = { job, onEnd: [] };
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
      isSettled: true,
    };
    this.#slots.set(name, slot);
    return slot;
  }
}

function isSame(running: Job, job: Job): boolean {
  if (running.kind === "rotate") return job.kind === "rotate" && running.digest === job.digest;
  return running.kind === "remove" && job.kind === "remove";
}

function replaceNext(slot: Slot, task: Task | undefined): void {
  for (const end of slot.next?.onEnd ?? []) end(INTERRUPTED);
  slot.next = task;
}

function stopWaiting(slot: Slot): void {
  slot.waiting?.abort();
  slot.waiting = undefined;
}
