/** A value that cannot be printed by accident: logs, JSON, templates and inspection all show `[secret]`. */
import { inspect } from "node:util";

const REDACTED = "[secret]";

/** Wraps key material and passwords. Only {@link Secret.reveal} gives the value, so every use can be searched for. */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toJSON(): string {
    return REDACTED;
  }

  toString(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
