/** One at a time: who comes while another is at it waits for its turn. */

/** Turns by key, such as the path of a socket. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs the task when those that came before it, for the same key, are over, however they ended. */
  async take<T>(key: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(task);
    const over = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, over);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === over) this.#last.delete(key);
    }
  }
}
