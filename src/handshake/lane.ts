/** One child at a time: started when it is needed, replaced when it is lost or worn, with waits where that goes on. */
import { messageOf } from "../core/errors.ts";
import type { Report } from "../core/events.ts";
import { type Backoff, fullJitterMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Question } from "./messages.ts";
import { type Loss, type Reply, Worker } from "./worker.ts";

/** There is no child to be asked. */
export interface Unavailable {
  readonly kind: "unavailable";
  readonly why: string;
}

/** When a child is worn, and who is told of one that was lost. */
export interface LaneOptions {
  readonly clock: Clock;
  readonly report: Report;
  /** Whether the next child is started before it is needed. */
  readonly isWarm: boolean;
  readonly maxAnswers: number;
  readonly maxRssBytes: number;
}

const BACKOFF: Backoff = { baseMs: 100, capMs: 5_000 };
/** How often a start is tried before those who wait are told that there is none; once it came to that, each time once. */
const MAX_STARTS = 7;
/** A child whose memory is large from the beginning is not replaced all the time. */
const MIN_ANSWERS = 50;

/** A lane. It never rejects: what comes of a question is its answer, how its child was lost, or that there is none. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #closing = new AbortController();
  /** All that have not ended. */
  readonly #workers = new Set<Worker>();
  #worker: Worker | undefined;
  #launching: Promise<Worker | Unavailable> | undefined;
  /** Children lost since there was one that is well. */
  #losses = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Starts a child where there is none. */
  warm(): void {
    // It never rejects, and who needs the child asks for it.
    void this.#ready();
  }

  /** @param question Made when it is sent: it may hold a key. */
  async ask(question: () => Question, deadlineMs: number): Promise<Reply | Unavailable> {
    const worker = await this.#ready();
    if (!(worker instanceof Worker)) return worker;
    const reply = await worker.ask(question(), deadlineMs);
    if (reply.kind !== "answered") return reply;
    this.#losses = 0;
    if (worker === this.#worker && this.#isWorn(worker)) void this.#launch();
    return reply;
  }

  /** Lets the child go; the next question starts another. */
  rest(): void {
    this.#worker?.retire();
    this.#worker = undefined;
  }

  /** Ends every child. Who still waits for an answer is told that it was lost. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#workers].map((worker) => worker.end()));
  }

  #ready(): Worker | Promise<Worker | Unavailable> {
    return this.#worker?.isReady ? this.#worker : this.#launch();
  }

  #launch(): Promise<Worker | Unavailable> {
    this.#launching ??= this.#start().finally(() => {
      this.#launching = undefined;
    });
    return this.#launching;
  }

  /** The child before it goes on until this one is ready, and then still finishes what it has. */
  async #start(): Promise<Worker | Unavailable> {
    let why = "";
    const most = this.#losses < MAX_STARTS ? MAX_STARTS : 1;
    for (let tries = 0; tries < most; tries++) {
      const begun = await this.#tryStart();
      if (begun instanceof Worker) {
        this.#worker?.retire();
        this.#worker = begun;
        // Where only suspects are asked, a child they cost says nothing of the next one.
        if (!this.#options.isWarm) this.#losses = 0;
        return begun;
      }
      if (this.#closing.signal.aborted) break;
      why = begun.why;
    }
    return { kind: "unavailable", why };
  }

  async #tryStart(): Promise<Worker | Pick<Loss, "why">> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    try {
      if (this.#losses > 1) await clock.sleep(fullJitterMs(this.#losses - 1, BACKOFF), signal);
      signal.throwIfAborted();
      const worker = this.#spawn();
      return (await worker.started) ?? worker;
    } catch (thrown) {
      // The system gave no process, or this lane is being closed.
      const loss = { kind: "crashed", why: `it could not be started: ${messageOf(thrown)}` } as const;
      if (!signal.aborted) this.#onLoss(loss);
      return loss;
    }
  }

  #spawn(): Worker {
    const worker = new Worker(this.#options.clock, (loss) => {
      this.#workers.delete(worker);
      if (this.#worker === worker) this.#worker = undefined;
      if (loss !== null) this.#onLoss(loss);
    });
    this.#workers.add(worker);
    return worker;
  }

  #onLoss({ why }: Loss): void {
    this.#losses++;
    this.#options.report({ type: "handshake.restarted", why });
    if (this.#options.isWarm && !this.#closing.signal.aborted) this.warm();
  }

  #isWorn({ answers, rssBytes }: Worker): boolean {
    const { maxAnswers, maxRssBytes } = this.#options;
    return answers >= maxAnswers || (answers >= MIN_ANSWERS && rssBytes > maxRssBytes);
  }
}
