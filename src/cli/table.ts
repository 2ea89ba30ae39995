/** Text for a terminal: aligned columns that fit its width, and nothing in them that a terminal would obey. */
import { visible } from "../core/words.ts";
import type { Screen } from "./screen.ts";
import type { Colour } from "./style.ts";
import { cut, pad, widthOf, wrap } from "./width.ts";

/** A text, and what its colour says. */
export type Cell = string | { readonly text: string; readonly colour: Colour | null };

/** How a column gives way where the terminal is too narrow. */
export interface Column {
  readonly head: string;
  /** It may be cut, down to this; it is never where this is not given. */
  readonly least?: number;
  /** It is left out where cutting the others would not be enough, the last such column first. */
  readonly isSpare?: boolean;
  /** It goes on in further lines; for the last column. */
  readonly wraps?: boolean;
}

const GAP = "  ";

/** Columns as wide as their widest cell, two spaces apart; cut to the screen where it has a width. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { columns: screenWidth, style }: Screen,
): string[] {
  const cells = rows.map((row) => row.map(plainCell));
  const natural = columns.map(({ head }, at) =>
    Math.max(widthOf(head), ...cells.map((row) => widthOf(row[at]?.text ?? ""))),
  );
  const widths = fit(columns, natural, screenWidth ?? Number.POSITIVE_INFINITY);
  const shown = columns.flatMap((column, at) => {
    const width = widths[at];
    return width === undefined ? [] : [{ ...column, at, width }];
  });
  const head = columns.map(({ head: text }) => ({ text, colour: "faint" as const }));
  return [head, ...cells].flatMap((row) => {
    const texts = shown.map(({ at, width, wraps }) => {
      const { text = "", colour = null } = row[at] ?? {};
      const lines = wraps && widthOf(text) > width ? wrap(text, width) : [cut(text, width)];
      return { lines, width, colour };
    });
    const height = Math.max(...texts.map(({ lines }) => lines.length));
    return Array.from({ length: height }, (_, at) => {
      const last = texts.findLastIndex(({ lines }) => (lines[at] ?? "") !== "");
      return texts
        .slice(0, last + 1)
        .map(({ lines, width, colour }, index) => {
          const text = lines[at] ?? "";
          const painted = colour === null ? text : style.paint(colour, text);
          return index === last ? painted : painted + pad(text, width).slice(text.length);
        })
        .join(GAP);
    });
  });
}

/** One line: what is in certificates and answers of services could hold control characters, and so escape sequences. */
export function plain(text: string): string {
  return visible(text.replace(/\s+/g, " "));
}

/** The width of each column; undefined for one that is left out. */
function fit(
  columns: readonly Column[],
  natural: readonly number[],
  most: number,
): readonly (number | undefined)[] {
  const widths: (number | undefined)[] = [...natural];
  const total = () => {
    const shown = widths.filter((width) => width !== undefined);
    return shown.reduce((sum, width) => sum + width, 0) + GAP.length * (shown.length - 1);
  };
  // What could be had by cutting: a column goes only where that would not be enough.
  const spare = columns.map(({ isSpare }, at) => (isSpare ? at : -1)).filter((at) => at >= 0);
  const gain = () =>
    columns.reduce((sum, { least }, at) => {
      const width = widths[at];
      return width === undefined || least === undefined ? sum : sum + Math.max(0, width - least);
    }, 0);
  while (total() - gain() > most && spare.length > 0) widths[spare.pop() ?? 0] = undefined;
  // The widest first, and one column after another: the others keep what they have.
  for (;;) {
    const over = total() - most;
    if (over <= 0) return widths;
    const widest = columns.reduce((best, { least }, at) => {
      const [width = 0, bestWidth = 0] = [widths[at], widths[best]];
      return least !== undefined && width > least && (best < 0 || width > bestWidth) ? at : best;
    }, -1);
    if (widest < 0) return widths;
    const width = widths[widest] ?? 0;
    widths[widest] = Math.max(columns[widest]?.least ?? 0, width - over);
  }
}

function plainCell(cell: Cell): { readonly text: string; readonly colour: Colour | null } {
  return typeof cell === "string"
    ? { text: plain(cell), colour: null }
    : { text: plain(cell.text), colour: cell.colour };
}
