/** Hands messages from callbacks to one reader that waits with a deadline. */
import { type Clock, yieldToOthers } from "../runtime/clock.ts";

/** A queue with one reader. */
export class Mailbox<T> {
  readonly #messages: T[] = [];
  #arrived: (() => void) | undefined;

  get size(): number {
    return this.#messages.length;
  }

  put(message: T): void {
    this.#messages.push(message);
    this.#arrived?.();
  }

  /** The oldest message, or undefined after `maxWaitMs`. Rejects with the signal's reason when aborted. */
  async take(maxWaitMs: number, clock: Clock, signal: AbortSignal): Promise<T | undefined> {
    if (this.#messages.length === 0) await this.#wait(maxWaitMs, clock, signal);
    signal.throwIfAborted();
    return this.#messages.shift();
  }

  async #wait(maxWaitMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    // Not AbortSignal.any: on Node 20 each one leaves some bytes behind on a signal that lives as long as the daemon.
    const over = new AbortController();
    let wake = (): void => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#arrived = wake;
    signal.addEventListener("abort", wake, { once: true });
    const slept = clock.sleep(maxWaitMs, over.signal).catch((thrown) => {
      if (!over.signal.aborted) throw thrown;
    });
    try {
      await Promise.race([woken, slept]);
    } finally {
      this.#arrived = undefined;
      signal.removeEventListener("abort", wake);
      // The message is on its way before the wait for it is taken down.
      yieldToOthers().then(() => over.abort());
    }
  }
}
