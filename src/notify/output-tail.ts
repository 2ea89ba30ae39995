/** The end of what a program wrote: bounded, on one line, and without any private key it printed. */
import type { Readable } from "node:stream";

/** Enough for the lines in which a program says why it failed. */
const MAX_CHARS = 4 << 10;
const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
const KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
/** Longer than both: a marker that is cut in two between reads is still seen. */
const HELD_BACK = 80;

/** Collects the outputs of one program, as they come. */
export class OutputTail {
  #kept = "";
  #isCut = false;
  readonly #filters: KeyFilter[] = [];

  /** Reads the stream from now on. Each has its own filter: what one prints may come between two lines of another. */
  follow(stream: Readable): void {
    const filter = new KeyFilter((text) => this.#keep(text));
    this.#filters.push(filter);
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => filter.write(text));
  }

  /** What was kept. Nothing is taken in after this. */
  end(): string {
    for (const filter of this.#filters) filter.end();
    const lines = this.#kept.split("\n").map((line) => line.replace(/\p{Cc}+/gu, " ").trim());
    const text = lines.filter((line) => line !== "").join(" | ");
    return this.#isCut ? `…${text}` : text;
  }

  #keep(text: string): void {
    const all = this.#kept + text;
    this.#isCut ||= all.length > MAX_CHARS;
    this.#kept = all.slice(-MAX_CHARS);
  }
}

/** Lets everything through but PEM private keys, wherever they begin and end. */
class KeyFilter {
  #held = "";
  #isInKey = false;
  readonly #pass: (text: string) => void;

  constructor(pass: (text: string) => void) {
    this.#pass = pass;
  }

  write(text: string): void {
    this.#held += text;
    for (;;) {
      const marker = (this.#isInKey ? KEY_END : KEY_BEGIN).exec(this.#held);
      const upTo = marker === null ? Math.max(0, this.#held.length - HELD_BACK) : marker.index;
      if (!this.#isInKey) this.#pass(this.#held.slice(0, upTo));
      this.#held = this.#held.slice(marker === null ? upTo : upTo + marker[0].length);
      if (marker === null) return;
      if (!this.#isInKey) this.#pass("[private key]");
      this.#isInKey = !this.#isInKey;
    }
  }

  end(): void {
    if (!this.#isInKey) this.#pass(this.#held);
    this.#held = "";
    this.#isInKey = true;
  }
}
