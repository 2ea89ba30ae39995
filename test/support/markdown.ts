/** The code of a page of the documentation: tests take it from there, so that what a reader copies is what was run. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A fenced block. */
export interface CodeBlock {
  /** What stands behind the fence, such as `sh`; empty where nothing does. */
  readonly language: string;
  readonly code: string;
  /** The heading it stands under, without its marks; empty before the first. */
  readonly heading: string;
  /** That of its first line of code, from 1. */
  readonly line: number;
}

/**
 * The blocks of a page, in its order.
 *
 * @param page Its path from the root of the repository.
 */
export async function codeBlocks(page: string): Promise<readonly CodeBlock[]> {
  const lines = (await readPage(page)).split("\n");
  const blocks: CodeBlock[] = [];
  let heading = "";
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    heading = /^#+ +(.*)$/.exec(line)?.[1] ?? heading;
    const language = /^```(.*)$/.exec(line)?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf("```", at + 1);
    if (end === -1) throw new Error(`${page}: the block of line ${at + 1} has no end`);
    const code = `${lines.slice(at + 1, end).join("\n")}\n`;
    blocks.push({ language: language.trim(), code, heading, line: at + 2 });
    at = end;
  }
  return blocks;
}

/** The text of a page. */
export function readPage(page: string): Promise<string> {
  return readFile(join(ROOT, page), "utf8");
}

/** The code of all blocks of one language. */
export async function codeOf(page: string, language: string): Promise<readonly string[]> {
  const blocks = await codeBlocks(page);
  return blocks.filter((block) => block.language === language).map(({ code }) => code);
}

/** The code of the blocks of one language under one heading. */
export async function codeUnder(page: string, heading: string, language: string): Promise<readonly string[]> {
  const blocks = await codeBlocks(page);
  const found = blocks.filter((block) => block.heading === heading && block.language === language);
  if (found.length === 0) throw new Error(`${page} has no ${language} under ${JSON.stringify(heading)}`);
  return found.map(({ code }) => code);
}

/**
 * The headings of a page, in its order.
 *
 * @param level Marks before them: 2 for `## …`.
 */
export async function headingsOf(page: string, level: number): Promise<readonly string[]> {
  return (await sectionsOf(page, level)).map(({ heading }) => heading);
}

/** The sections of a page that have a heading of this level, each with all of its text. */
export async function sectionsOf(
  page: string,
  level: number,
): Promise<readonly { readonly heading: string; readonly text: string }[]> {
  const sections: { heading: string; text: string }[] = [];
  let isCode = false;
  for (const line of (await readPage(page)).split("\n")) {
    if (line.startsWith("```")) isCode = !isCode;
    const [, marks, heading = ""] = (isCode ? null : /^(#+) +(.*)$/.exec(line)) ?? [];
    if (marks?.length === level) sections.push({ heading, text: "" });
    const last = sections.at(-1);
    if (last !== undefined) last.text += `${line}\n`;
  }
  return sections;
}
