/** How much a terminal may be asked for: signs and colours where it shows them, plain text everywhere else. */

/** Marks, and paint for words. */
export interface Style {
  readonly marks: Readonly<Record<"ok" | "failed" | "skipped", string>>;
  /** Before a certificate, under the one that issued it. */
  readonly branch: string;
  paint(colour: keyof typeof COLOURS, text: string): string;
}

/** Select Graphic Rendition (ECMA-48 §8.3.117). */
const COLOURS = { good: "32", bad: "31", faint: "2", strong: "1" } as const;

/** What standard output takes: signs on a terminal with UTF-8, and colours on one where `NO_COLOR` is not set. */
export function styleOf(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  const hasSigns = isTerminal && /utf-?8/i.test(locale);
  const hasColours = isTerminal && !env.NO_COLOR && env.TERM !== "dumb";
  const signs = { ok: "✓", failed: "✗", skipped: "-" };
  const words = { ok: "ok  ", failed: "FAIL", skipped: "-   " };
  return {
    marks: hasSigns ? signs : words,
    branch: hasSigns ? "└─ " : "`- ",
    paint: (colour, text) => (hasColours ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text),
  };
}
