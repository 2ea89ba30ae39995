/** How much a terminal may be asked for: signs and colours where it shows them, plain text everywhere else. */

type Environment = Readonly<Record<string, string | undefined>>;

/** Marks, and paint for words. */
export interface Style {
  readonly marks: Readonly<Record<"ok" | "failed" | "skipped", string>>;
  /** Before a certificate, under the one that issued it. */
  readonly branch: string;
  paint(colour: Colour, text: string): string;
}

/** What a word says by its colour. */
export type Colour = keyof typeof COLOURS;

/** Select Graphic Rendition (ECMA-48 §8.3.117). */
const COLOURS = { good: "32", bad: "31", warning: "33", busy: "36", faint: "2", strong: "1" } as const;

/**
 * What standard output takes: signs on a terminal with UTF-8, and colours on one. `NO_COLOR` takes them away,
 * `FORCE_COLOR` gives them anywhere.
 */
export function styleOf(isTerminal: boolean, env: Environment): Style {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  const hasSigns = isTerminal && /utf-?8/i.test(locale);
  const hasColours = mayColour(isTerminal, env);
  const signs = { ok: "✓", failed: "✗", skipped: "-" };
  const words = { ok: "ok  ", failed: "FAIL", skipped: "-   " };
  return {
    marks: hasSigns ? signs : words,
    branch: hasSigns ? "└─ " : "`- ",
    paint: (colour, text) =>
      hasColours && text !== "" ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text,
  };
}

function mayColour(isTerminal: boolean, { NO_COLOR, FORCE_COLOR, TERM }: Environment): boolean {
  // As Node itself has it: an empty FORCE_COLOR forces too, and it wins over NO_COLOR.
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTerminal && !NO_COLOR && TERM !== "dumb";
}
