/** Lets only so many in at a time; the others wait in the order they came. */

/** A gate. Whoever enters has to leave. */
export class Gate {
  readonly #most: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Nobody is inside, and nobody waits. */
  get isEmpty(): boolean {
    return this.#inside === 0 && this.#waiting.size === 0;
  }

  /** Resolves inside; rejects outside, with the signal's reason. */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#inside < this.#most) {
      this.#inside++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(enter);
        signal.removeEventListener("abort", abort);
      };
      const enter = (): void => {
        leave();
        resolve();
      };
      const abort = (): void => {
        leave();
        reject(signal.reason);
      };
      this.#waiting.add(enter);
      signal.addEventListener("abort", abort);
    });
  }

  /** The one who waits longest takes the place. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#inside--;
    else next();
  }
}
