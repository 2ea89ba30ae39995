/** BENCHMARKS.md: each benchmark has a part of it, and leaves the others as they are. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The programs that write into it, in the order of their parts. */
const PROGRAMS = ["npm run bench", "npm run bench:tls"] as const;

type Program = (typeof PROGRAMS)[number];

const BOOK = fileURLToPath(new URL("../../BENCHMARKS.md", import.meta.url));
const TITLE = "# Benchmarks";

/** Keeps a part in place of the one that is there. */
export function keepPart(program: Program, text: string): void {
  writeFileSync(BOOK, withPart(existsSync(BOOK) ? readFileSync(BOOK, "utf8") : "", program, text));
}

/** The book with this part. Pure. */
export function withPart(book: string, program: Program, text: string): string {
  const [, ...words] = book.split(/^<!-- (.*) -->$/m);
  const parts = new Map<string | undefined, string>();
  for (let at = 0; at + 1 < words.length; at += 2) parts.set(words[at], (words[at + 1] ?? "").trim());
  parts.set(program, text.trim());
  const present = PROGRAMS.filter((name) => parts.has(name));
  const kept = present.map((name) => `<!-- ${name} -->\n\n${parts.get(name)}`);
  return `${[TITLE, ...kept].join("\n\n")}\n`;
}
