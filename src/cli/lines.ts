/** Lines of text that fit a screen: indented, and wrapped where it has a width. */
import type { Screen } from "./screen.ts";
import type { Colour } from "./style.ts";
import { plain } from "./table.ts";
import { pad, widthOf, wrap } from "./width.ts";

/** The text in lines that begin with `first`, and go on below that. */
export function flow(
  first: string,
  text: string,
  { columns, style }: Screen,
  colour: Colour | null = null,
): string[] {
  const indent = " ".repeat(widthOf(first));
  const lines = columns === null ? [plain(text)] : wrap(plain(text), Math.max(20, columns - indent.length));
  return lines.map(
    (line, at) => (at === 0 ? first : indent) + (colour === null ? line : style.paint(colour, line)),
  );
}

/** Blocks with an empty line between them; what is empty is left out. */
export function joinBlocks(blocks: readonly (readonly string[])[]): string[] {
  return blocks
    .filter((block) => block.length > 0)
    .flatMap((block, at) => (at === 0 ? block : ["", ...block]));
}

/** Names and what they are, aligned; what is empty is left out. */
export function facts(
  pairs: readonly (readonly [name: string, text: string, colour?: Colour | null])[],
  screen: Screen,
): string[] {
  const shown = pairs.filter(([, text]) => text !== "");
  const width = Math.max(...shown.map(([name]) => widthOf(name)), 0);
  return shown.flatMap(([name, text, colour = null]) => {
    const lines = flow(" ".repeat(width + 2), text, screen, colour);
    const head = screen.style.paint("faint", name) + pad(name, width + 2).slice(name.length);
    return lines.map((line, at) => (at === 0 ? head + line.slice(width + 2) : line));
  });
}
