/** A page of docs/recipes: what a reader copies from it, with the ports, paths and users of a test in place of its own. */
import { parse } from "yaml";
import { type CodeBlock, codeBlocks } from "./markdown.ts";

/** What stands in a page, and what a test has in its place. The longest is looked for first. */
export type Replacements = Readonly<Record<string, string>>;

/** A page that was read. */
export interface Recipe {
  /** The only block of a language. */
  block(language: string): string;
  /** The only `keyturn.yaml`, or the only one under a heading. */
  settings(heading?: string): Readonly<Record<string, unknown>>;
}

/** Reads it. A replacement that nothing on the page asks for is an error: the page is not what the test takes it for. */
export async function readRecipe(name: string, replacements: Replacements): Promise<Recipe> {
  const page = `docs/recipes/${name}.md`;
  const blocks = await codeBlocks(page);
  const wanted = Object.keys(replacements).sort((a, b) => b.length - a.length);
  const missing = wanted.filter((text) => !blocks.some(({ code }) => code.includes(text)));
  if (missing.length > 0) throw new Error(`${page} has no ${missing.join(", no ")}`);
  const only = (what: string, found: readonly CodeBlock[]): string => {
    const [one, ...others] = found;
    if (one === undefined || others.length > 0) {
      throw new Error(`${page} has ${found.length} blocks of ${what}, not one`);
    }
    return replace(one.code, wanted, replacements);
  };
  return {
    block: (language) =>
      only(
        language,
        blocks.filter((block) => block.language === language),
      ),
    settings: (heading) => {
      const found = blocks.filter(isKeyturns);
      const these = heading === undefined ? found : found.filter((block) => block.heading === heading);
      return parse(only("keyturn.yaml", these));
    },
  };
}

/** Whether it is keyturn's configuration: its first line says so. */
export function isKeyturns({ language, code }: CodeBlock): boolean {
  return language === "yaml" && code.startsWith("# keyturn.yaml");
}

/** In one pass: what was put in is not looked at again. */
function replace(code: string, wanted: readonly string[], replacements: Replacements): string {
  if (wanted.length === 0) return code;
  const pattern = wanted.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return code.replace(new RegExp(pattern, "g"), (text) => replacements[text] ?? text);
}
