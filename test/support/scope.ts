/** What ends things: a test, or a program that is no test. */

/** Where what was started leaves how it is ended. */
export interface Scope {
  after(close: () => void | Promise<void>): void;
}
