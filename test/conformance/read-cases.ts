/** Reads a file in the x509-limbo format one test case at a time: it may be larger than memory. */
import { createReadStream } from "node:fs";
import { messageOf } from "../../src/core/errors.ts";

/** Everything but the test cases, which is `{"version": 1, "testcases": []}`. */
const MAX_FRAME_LENGTH = 65_536;
const MAX_CASE_LENGTH = 67_108_864;

/**
 * The `testcases` of the file, in its order, as JSON says them.
 *
 * @throws Error where the file cannot be read or is not in the format; the cases before the fault were given.
 */
export async function* readCases(path: string): AsyncGenerator<unknown, void, void> {
  try {
    const splitter = new Splitter();
    let rest = "";
    for await (const chunk of createReadStream(path, "utf8")) {
      const text: string = rest + chunk;
      // A backslash stays with what it escapes.
      rest = /(?<!\\)(?:\\\\)*\\$/.test(text) ? "\\" : "";
      const whole = rest === "" ? text : text.slice(0, -1);
      for (const json of splitter.split(whole)) yield parse(json, "a test case");
    }
    splitter.finish();
  } catch (thrown) {
    throw new Error(`${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** Takes the elements of the top-level array `testcases` out of the text, and keeps the frame around them. */
class Splitter {
  #frame = "";
  #element = "";
  #depth = 0;
  #isInString = false;
  #isInList = false;

  *split(text: string): Generator<string, void, void> {
    for (const [token] of text.matchAll(/\\.|["[\]{}]|[^\\"[\]{}]+/gs)) {
      const wasInElement = this.#isInElement;
      this.#nest(token);
      if (wasInElement || this.#isInElement) this.#addToElement(token);
      else this.#addToFrame(token);
      if (!wasInElement || this.#isInElement) continue;
      yield this.#element;
      this.#element = "";
    }
  }

  /** What is left has to be the frame of the format. */
  finish(): void {
    const frame = parse(this.#frame.replace(/^\uFEFF/, ""), "what is around the test cases");
    const { version, testcases } = (frame ?? {}) as Readonly<Record<string, unknown>>;
    if (!Array.isArray(testcases)) throw notLimbo("it has no testcases");
    if (testcases.length > 0) throw notLimbo("testcases holds something that is no object");
    if (version !== 1) throw notLimbo(`its version is ${JSON.stringify(version)}, and 1 is what can be read`);
  }

  get #isInElement(): boolean {
    return this.#isInList && this.#depth > 2;
  }

  #nest(token: string): void {
    if (token === '"') this.#isInString = !this.#isInString;
    if (this.#isInString) return;
    if (token === "{" || token === "[") this.#depth++;
    if (token === "}" || token === "]") this.#depth--;
    if (this.#depth < 2) this.#isInList = false;
  }

  #addToFrame(token: string): void {
    // What stands between test cases goes with them.
    this.#frame += this.#isInList ? token.replace(/[\s,]/g, "") : token;
    if (this.#frame.length > MAX_FRAME_LENGTH) throw notLimbo("it holds too much besides test cases");
    if (token === "[" && this.#depth === 2) this.#isInList = /"testcases"\s*:\s*\[$/.test(this.#frame);
  }

  #addToElement(token: string): void {
    this.#element += token;
    if (this.#element.length > MAX_CASE_LENGTH) throw notLimbo("it has a test case that is too long");
  }
}

function parse(json: string, what: string): unknown {
  try {
    return JSON.parse(json);
  } catch (thrown) {
    throw notLimbo(`${what} is not JSON: ${messageOf(thrown)}`);
  }
}

function notLimbo(why: string): Error {
  return new Error(`this is not a file in the x509-limbo format: ${why}`);
}
