/** Hands messages from callbacks to one reader that waits with a deadline. */
import type { Clock } from "../runtime/clock.ts";

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
    // Not AbortSignal.any: on Node 20 each one leaves some bytes behind on a signal that lives as long as the daemon.
    const woken = new AbortController();
    const wake = () => woken.abort();
    this.#arrived = wake;
    signal.addEventListener("abort", wake, { once: true });
    try {
      if (!signal.aborted) await clock.sleep(maxWaitMs, woken.signal);
    } catch (thrown) {
      if (!woken.signal.aborted) throw thrown;
    } finally {
      this.#arrived = undefined;
      signal.removeEventListener("abort", wake);
    }
  }
}
