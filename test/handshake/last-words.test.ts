import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lastWords } from "../../src/handshake/last-words.ts";
import { ecKey } from "../support/mint.ts";

const KEY = String(ecKey().privateKey.export({ type: "pkcs8", format: "pem" }));

describe("the last words of a process", () => {
  it("are the line that names the fault", () => {
    const output =
      "node:internal:1\n  throw x;\n  ^\n\nTypeError: it is broken\n    at f (file:1:2)\n\nNode.js v20\n";
    assert.equal(lastWords(output), "TypeError: it is broken");
  });

  it("are V8's where the memory was used up", () => {
    const output =
      "<--- Last few GCs --->\n\nFATAL ERROR: Reached heap limit - JavaScript heap out of memory\n 1: 0xb8\n";
    assert.match(lastWords(output) ?? "", /heap out of memory/);
  });

  it("are bounded", () => {
    assert.ok((lastWords(`Error: ${"long ".repeat(1000)}`)?.length ?? 0) <= 200);
  });

  for (const output of ["", "\n\n", "it is warm today\n"]) {
    it(`are none where nothing was said of a fault: ${JSON.stringify(output)}`, () => {
      assert.equal(lastWords(output), null);
    });
  }

  for (const [what, text] of [
    ["PEM", KEY.replaceAll("\n", " ")],
    ["the inside of PEM", KEY.split("\n")[1] ?? ""],
    ["its header", "-----BEGIN PRIVATE KEY-----"],
  ] as const) {
    it(`are none where they hold what may be a key: ${what}`, () => {
      assert.equal(lastWords(`Error: cannot read ${text}\n`), null);
    });
  }
});
