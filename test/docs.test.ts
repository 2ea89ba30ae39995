/** The pages lead where they say, and the two commands that README.md begins with are those that have to be green. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, normalize } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { configOf } from "./support/config.ts";
import { codeBlocks, codeOf, readPage } from "./support/markdown.ts";
import { COMMANDS_OF_PAGES } from "./support/page-commands.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** All that are kept in the repository. */
const { stdout } = await promisify(execFile)("git", ["ls-files", "*.md"], { cwd: ROOT });
const pages = stdout.trim().split("\n");

/** Relative links and pictures of a page, without what is in its code. */
async function linksOf(page: string): Promise<readonly string[]> {
  const text = withoutBlocks(await readPage(page)).replaceAll(/`[^`\n]*`/g, "");
  const inText = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  const inHtml = [...text.matchAll(/(?:src|srcset|href)="([^"]+)"/g)].map(([, link = ""]) => link);
  return [...inText, ...inHtml].filter((link) => !/^[a-z]+:/.test(link));
}

/** Headings as they are linked to. */
async function anchorsOf(page: string): Promise<readonly string[]> {
  const text = withoutBlocks(await readPage(page));
  return [...text.matchAll(/^#+ +(.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

describe("the pages", () => {
  for (const page of pages) {
    it(`lead to what is there: ${page}`, async () => {
      for (const link of await linksOf(page)) {
        const [path = "", anchor] = link.split("#");
        const target = path === "" ? page : normalize(join(dirname(page), path));
        assert.ok(existsSync(join(ROOT, target)), link);
        if (anchor !== undefined && target.endsWith(".md"))
          assert.ok((await anchorsOf(target)).includes(anchor), link);
      }
    });
  }

  it("are each led to by another", async () => {
    const links = await Promise.all(
      pages.map(async (page) =>
        (await linksOf(page)).map((link) => normalize(join(dirname(page), link.split("#")[0] ?? ""))),
      ),
    );
    const led = new Set(links.flat());
    const alone = pages.filter((page) => !led.has(page) && page !== "README.md");
    assert.deepEqual(alone, []);
  });
});

describe("the commands of the pages", () => {
  it("are run by a test, or it is said why not: each page that has any, and no other", async () => {
    const blocks = await Promise.all(pages.map((page) => codeBlocks(page)));
    const withCommands = pages.filter((_, at) =>
      blocks[at]?.some(({ language }) => language === "sh" || language === "console"),
    );
    assert.deepEqual(Object.keys(COMMANDS_OF_PAGES).sort(), withCommands.sort());
  });

  for (const [page, { runBy, notRun }] of Object.entries(COMMANDS_OF_PAGES)) {
    it(`are where the table says: ${page}`, async () => {
      assert.ok(runBy.length > 0 || notRun !== undefined);
      for (const file of runBy) {
        const text = await readFile(join(ROOT, file), "utf8");
        // Tests of recipes name their page without the folder.
        const names = [page, JSON.stringify(basename(page, ".md"))];
        assert.ok(
          names.some((name) => text.includes(name)),
          `${file} does not mention ${page}`,
        );
      }
    });
  }
});

describe("README.md", () => {
  it("begins with commands that have to be green before anything lands", async () => {
    const [first = ""] = await codeOf("README.md", "sh");
    const commands = first.split("\n").filter((line) => line.startsWith("npm "));
    assert.deepEqual(
      commands.map((line) => line.split("#")[0]?.trim()),
      ["npm run demo", "npm test"],
    );
    const ci = await readFile(join(ROOT, ".ci/run"), "utf8");
    for (const command of ["npm run demo", "npm test"])
      assert.match(ci, new RegExp(`^step ${command}\\b`, "m"));
  });

  it("shows a keyturn.yaml that keyturn takes, and so does docs/fleet.md", async (t) => {
    const [text = ""] = await codeOf("README.md", "yaml");
    const { services, etcd } = await configOf(t, text);
    assert.deepEqual([services.length, etcd.endpoints.length], [1, 1]);

    const ofFleet = await codeOf("docs/fleet.md", "yaml");
    const configs = await Promise.all(ofFleet.map((block) => configOf(t, block)));
    assert.deepEqual(
      configs.map((config) => [config.etcd.prefix, config.bundles.include]),
      [
        ["/certs/canary/", ["*"]],
        ["/certs/", ["inference-canary"]],
      ],
    );
  });
});
