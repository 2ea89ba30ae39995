/** What is opened is pushed here and closed in reverse; one failing close does not skip the others. */

/** Closes one thing. */
export type Close = () => void | Promise<void>;

/** A stack of things to close. */
export class CloseStack {
  readonly #closes: Close[] = [];
  #closing: Promise<void> | undefined;

  push(close: Close): void {
    this.#closes.push(close);
  }

  /**
   * Closes everything, last opened first. A second call closes nothing; one that comes meanwhile ends with the first.
   *
   * @throws AggregateError with every failure, after all were tried.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#closeAll().finally(() => {
      this.#closing = undefined;
    });
    await this.#closing;
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closes.pop(); close !== undefined; close = this.#closes.pop()) {
      try {
        await close();
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, "could not close everything");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Opens what belongs together: where a part of it fails, those before it are closed. */
export async function openTogether<Opened>(open: (closes: CloseStack) => Promise<Opened>): Promise<Opened> {
  const closes = new CloseStack();
  try {
    return await open(closes);
  } catch (thrown) {
    await closes.close();
    throw thrown;
  }
}
