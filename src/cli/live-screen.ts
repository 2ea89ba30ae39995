/** A picture on a terminal that is drawn over in place, and a terminal that is as it was before when it is closed. */
import type { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { widthOf } from "./width.ts";

// Control sequences of xterm, which every terminal in use knows or passes over.
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_TO_END_OF_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";
/** Between these a terminal shows nothing of what is half drawn. */
const HOLD = "\u001b[?2026h";
const SHOW = "\u001b[?2026l";

/** Has the terminal for itself until it is closed: another page of it, without a cursor. */
export class LiveScreen {
  readonly #out: WriteStream;
  readonly #lines: () => readonly string[];

  constructor(out: WriteStream, lines: () => readonly string[]) {
    this.#out = out;
    this.#lines = lines;
    out.write(ENTER);
    out.on("resize", this.redraw);
    process.on("exit", this.#leave);
    process.on("SIGTSTP", this.#suspend);
    process.on("SIGCONT", this.#resume);
    process.on("SIGQUIT", this.#quit);
  }

  /** Draws what there is now, over what was there. What is too long is left out, and said to be. */
  readonly redraw = (): void => {
    const lines = this.#lines();
    const rows = Math.max(2, this.#out.rows ?? 24);
    const shown =
      lines.length <= rows
        ? lines
        : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines: keyturn status | less`];
    const text = shown.map((line) => line + this.#clearAfter(line)).join("\n");
    this.#out.write(HOLD + HOME + text + CLEAR_BELOW + SHOW);
  };

  /** After a line that is as wide as the terminal it would take away the last character. */
  #clearAfter(line: string): string {
    return widthOf(stripVTControlCharacters(line)) < this.#out.columns ? CLEAR_TO_END_OF_LINE : "";
  }

  close(): void {
    this.#out.off("resize", this.redraw);
    process.off("exit", this.#leave);
    process.off("SIGTSTP", this.#suspend);
    process.off("SIGCONT", this.#resume);
    process.off("SIGQUIT", this.#quit);
    this.#leave();
  }

  readonly #leave = (): void => {
    this.#out.write(LEAVE);
  };

  /** Ctrl-Z: the shell gets its terminal as it was. */
  readonly #suspend = (): void => {
    this.#leave();
    process.kill(process.pid, "SIGSTOP");
  };

  readonly #resume = (): void => {
    this.#out.write(ENTER);
    this.redraw();
  };

  /** Ctrl-\: it ends as it would have, and only then. */
  readonly #quit = (): void => {
    this.close();
    process.kill(process.pid, "SIGQUIT");
  };
}
