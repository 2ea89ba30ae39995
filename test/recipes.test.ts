/** The pages of docs/recipes, as far as they can be checked without the software they are about. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { addProxyCommand } from "../src/cli/proxy-command.ts";
import { type ProxyFlags, readProxyFlags } from "../src/cli/proxy-settings.ts";
import { configOf } from "./support/config.ts";
import { codeBlocks } from "./support/markdown.ts";
import { isKeyturns } from "./support/recipe.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, "docs/recipes");
const INDEX = "README.md";

const pages = (await readdir(FOLDER)).filter((name) => name !== INDEX);
const index = await readFile(join(FOLDER, INDEX), "utf8");
/** The cells of each row of the index, by the page it leads to; haproxy has two. */
const rows = [...index.matchAll(/^\| \[[^\]]+\]\(([^)]+)\).*$/gm)].map(([row, page = ""]) => ({
  page,
  cells: row.split("|").map((cell) => cell.trim()),
}));

/** What `keyturn proxy` is given on a page. */
async function proxyCommands(page: string): Promise<string[][]> {
  const blocks = (await codeBlocks(page)).filter(({ language }) => ["console", "sh"].includes(language));
  const lines = blocks.flatMap(({ code }) => code.replaceAll("\\\n", " ").split("\n"));
  return lines
    .map((line) => line.replace(/^\$ /, ""))
    .filter((line) => line.startsWith("keyturn proxy "))
    .map((line) => line.split(/\s+/).slice(2));
}

/** Reads a command line as the command does, and goes no further. */
function readProxyCommand(words: readonly string[]) {
  const program = new Command();
  addProxyCommand(program, () => undefined);
  let read: ReturnType<typeof readProxyFlags> | undefined;
  const [command] = program.commands;
  command?.exitOverride().action((flags: ProxyFlags) => {
    read = readProxyFlags(flags);
  });
  program.parse(["proxy", ...words], { from: "user" });
  return read;
}

describe("the recipes", () => {
  it("are all in the index", () => {
    assert.deepEqual([...new Set(rows.map(({ page }) => page))].sort(), [...pages].sort());
  });

  for (const page of pages) {
    it(`have a good keyturn.yaml: ${page}`, async (t) => {
      const blocks = (await codeBlocks(`docs/recipes/${page}`)).filter(isKeyturns);
      assert.ok(blocks.length > 0, "it has one");
      for (const { code } of blocks) {
        const { services } = await configOf(t, code);
        const blind = services.filter(({ verify }) => verify?.tls === undefined);
        assert.deepEqual(blind, [], "what is served is looked at");
      }
    });
  }

  const others = ["README.md", "docs/alerts.md", "docs/proxy.md"];
  for (const page of [...others, ...pages.map((name) => `docs/recipes/${name}`)]) {
    it(`have command lines of keyturn proxy that it takes: ${page}`, async () => {
      assert.ok((await proxyCommands(page)).length > 0 || !others.includes(page), "it has one");
      for (const words of await proxyCommands(page)) {
        assert.notEqual(readProxyCommand(words), undefined, words.join(" "));
      }
    });
  }

  it("put keyturn proxy in front of what cannot turn a certificate", async () => {
    const counts = await Promise.all(
      ["triton", "ray-serve", "uvicorn-gunicorn"].map(
        async (name) => (await proxyCommands(`docs/recipes/${name}.md`)).length,
      ),
    );
    assert.deepEqual(counts, [2, 1, 1]);
  });

  for (const { page, cells } of rows) {
    const isTried = cells.at(-2) === "yes";
    it(`are tried where the index says so: ${cells[1]}`, async () => {
      const test = join(ROOT, "test/operate/recipes", page.replace(/\.md$/, ".test.ts"));
      assert.equal(existsSync(test), isTried);
      // As one line, whatever the width of the page.
      const text = (await readFile(join(FOLDER, page), "utf8")).replace(/\s+/g, " ");
      const [handshakes, failed] = cells.slice(-4, -2);
      if (isTried) assert.ok(text.includes(`10 rotations, ${handshakes} handshakes, ${failed} failed`));
      else assert.match(text, /\*\*not tried here\*\*/);
    });
  }

  for (const page of [INDEX, ...pages]) {
    it(`lead nowhere but to what is there: ${page}`, async () => {
      const text = await readFile(join(FOLDER, page), "utf8");
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = ""]) => link);
      assert.deepEqual(
        links.filter((link) => !existsSync(join(FOLDER, link))),
        [],
      );
    });
  }
});
