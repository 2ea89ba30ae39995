/** One child process: questions go in, answers come out, and when it ends or hangs every open question is told so. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, yieldToOthers } from "../runtime/clock.ts";
import { lastWords } from "./last-words.ts";
import type { Answer, Asked, Question, Said } from "./messages.ts";

/** How a child was lost: it ended by itself, or did not answer in time and was ended. */
export interface Loss {
  readonly kind: "crashed" | "hung";
  readonly why: string;
}

/** What becomes of a question. */
export type Reply = { readonly kind: "answered"; readonly answer: Answer } | Loss;

interface Pending {
  readonly resolve: (reply: Reply) => void;
  /** Ends the wait for the deadline. */
  readonly over: AbortController;
}

/** This file is TypeScript in a checkout and JavaScript in the package; so is the child's program. */
const PROGRAM = fileURLToPath(new URL(`./child${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
const START_WITHIN_MS = 30_000;
const END_WITHIN_MS = 2_000;
const MAX_ERROR_OUTPUT = 4 << 10;

/**
 * A child, from its start to its end. It does not keep this process alive, but while it starts or has a question.
 *
 * What it prints goes nowhere: of its error output only the line that says why it ended is used.
 */
export class Worker {
  /** Null once it takes questions; or how it was lost before that. */
  readonly started: Promise<Loss | null>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #onEnd: (loss: Loss | null) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #starting = new AbortController();
  readonly #gone = new AbortController();
  #state: "starting" | "ready" | "retired" | "ending" = "starting";
  /** Set from the moment it is known to be lost. */
  #loss: Loss | undefined;
  #lastId = 0;
  #answers = 0;
  #rssBytes = 0;
  #errorOutput = "";

  /** @param onEnd Called once, when it has ended; with null where it was told to. */
  constructor(clock: Clock, onEnd: (loss: Loss | null) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#child = fork(PROGRAM, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.started = new Promise((resolve) => this.#listen(resolve));
    this.#expire(START_WITHIN_MS, this.#starting.signal);
  }

  /** Whether it takes questions. */
  get isReady(): boolean {
    return this.#state === "ready" && this.#loss === undefined;
  }

  /** Questions it answered so far. */
  get answers(): number {
    return this.#answers;
  }

  /** Its resident memory before its last question. */
  get rssBytes(): number {
    return this.#rssBytes;
  }

  /** Asks. Where there is no answer in time, the child is ended. Never rejects. */
  ask(question: Question, deadlineMs: number): Promise<Reply> {
    return new Promise((resolve) => {
      if (this.#loss !== undefined) return resolve(this.#loss);
      const id = ++this.#lastId;
      const over = new AbortController();
      this.#pending.set(id, { resolve, over });
      this.#child.ref();
      this.#child.channel?.ref();
      const asked: Asked = { id, question };
      // Where it cannot be sent the child is gone, and its end tells that.
      this.#child.send(asked, () => undefined);
      this.#expire(deadlineMs, over.signal);
    });
  }

  /** Ends it once it has answered what it was asked. */
  retire(): void {
    if (this.#state !== "ready") return;
    this.#state = "retired";
    this.#rest();
  }

  /** Ends it now. */
  async end(): Promise<void> {
    this.#state = "ending";
    this.#child.ref();
    if (this.#child.connected) this.#child.disconnect();
    const { signal } = this.#gone;
    // Rejected by its end, which is what is waited for.
    await this.#clock.sleep(END_WITHIN_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    this.#child.kill("SIGKILL");
    await once(signal, "abort");
  }

  #listen(onStart: (loss: Loss | null) => void): void {
    const child = this.#child;
    (child.stderr as Socket | null)?.unref();
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#errorOutput = (this.#errorOutput + chunk.toString("latin1")).slice(-MAX_ERROR_OUTPUT);
    });
    child.on("message", (said: Said) => {
      if (said.kind === "answer") return this.#take(said);
      this.#state = "ready";
      this.#starting.abort();
      this.#rest();
      onStart(null);
    });
    const lose = (how: string): void => {
      const said = lastWords(this.#errorOutput);
      const loss = this.#loss ?? { kind: "crashed", why: said === null ? how : `${how}: ${said}` };
      this.#lose(loss);
      onStart(loss);
    };
    child.on("exit", (code, signal) => {
      const how = signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
      // What it answered before is read until then.
      if (child.connected) child.once("disconnect", () => lose(how));
      else lose(how);
    });
    child.on("error", ({ message }) => {
      // Any other error is followed by its end.
      if (child.pid === undefined) lose(`it could not be started: ${message}`);
    });
  }

  #take({ id, answer, rssBytes }: Extract<Said, { readonly kind: "answer" }>): void {
    this.#answers++;
    this.#rssBytes = rssBytes;
    this.#settle(id, { kind: "answered", answer });
    this.#rest();
  }

  /** After the last answer: nothing keeps this process alive for it, and one that was retired is let go. */
  #rest(): void {
    if (this.#pending.size > 0) return;
    this.#child.channel?.unref();
    this.#child.unref();
    if (this.#state === "retired") void this.end();
  }

  /** Ends the child where it is still waited for after so long. */
  #expire(ms: number, signal: AbortSignal): void {
    const expire = async (): Promise<void> => {
      await this.#clock.sleep(ms, signal);
      // Where this process was held up itself, an answer may have come that is only not read yet.
      await yieldToOthers();
      if (signal.aborted) return;
      this.#loss ??= { kind: "hung", why: `it did not answer within ${ms} ms` };
      this.#child.kill("SIGKILL");
    };
    // Rejected where there was an answer.
    expire().catch(() => undefined);
  }

  #settle(id: number, reply: Reply): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.over.abort();
    pending?.resolve(reply);
  }

  #lose(loss: Loss): void {
    this.#loss = loss;
    this.#starting.abort();
    this.#gone.abort();
    for (const id of [...this.#pending.keys()]) this.#settle(id, loss);
    this.#onEnd(this.#state === "ending" ? null : loss);
  }
}
