/** HTML that is escaped by construction: only {@link html} makes it, and whatever is put into it is text. */
import { visible } from "../core/words.ts";

class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Markup that may be sent. */
export type Html = Markup;

/** What may be put into markup: text, other markup, or nothing. */
export type Part = Html | string | number | null | false | readonly Part[];

/** Text that stands for itself: most of it. */
const PLAIN = /^[\w .,:;/=*()@+#–…-]*$/;
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Markup of a template. Text that is put into it stands for itself, in content and in quoted attributes; characters
 * that are not seen and change what is are written out. Null and false are nothing.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = "";
  for (const [at, literal] of leanOf(strings).entries()) {
    text += at === 0 ? literal : textOf(parts[at - 1] ?? null) + literal;
  }
  return new Markup(text);
}

/** Remembers what {@link leanOf} made of each template of the source. */
const LEAN = new WeakMap<TemplateStringsArray, readonly string[]>();

/** Without the indentation of the source, of which a thousand bundles would have a lot. */
function leanOf(strings: TemplateStringsArray): readonly string[] {
  const known = LEAN.get(strings);
  if (known !== undefined) return known;
  const lean = strings.map((text) => text.replace(/\n\s*/g, "\n"));
  LEAN.set(strings, lean);
  return lean;
}

function textOf(part: Part): string {
  if (part === null || part === false) return "";
  if (typeof part === "number") return String(part);
  if (typeof part === "string") return escaped(part);
  if (part instanceof Markup) return part.toString();
  return Array.isArray(part) ? part.map(textOf).join("") : escaped(String(part));
}

function escaped(text: string): string {
  if (PLAIN.test(text)) return text;
  const lines = text.split("\n").map(visible).join("\n");
  return lines.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
