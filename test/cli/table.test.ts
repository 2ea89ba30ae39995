import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plain, table } from "../../src/cli/table.ts";

describe("a table", () => {
  it("has columns as wide as their widest cell, and no space at the end of a line", () => {
    assert.deepEqual(
      table(
        ["NAME", "STATE"],
        [
          ["inference", "live"],
          ["a", ""],
        ],
      ),
      ["NAME       STATE", "inference  live", "a"],
    );
  });

  it("is its head where there are no rows", () => assert.deepEqual(table(["A", "B"], []), ["A  B"]));

  it("stays aligned where a cell holds what a terminal would obey", () => {
    const [, row = ""] = table(["A", "B"], [["\u001b[2Jx", "y"]]);
    assert.equal(row, "\\u{1b}[2Jx  y");
  });
});

describe("plain text", () => {
  for (const [text, shown] of [
    ["CN=inference", "CN=inference"],
    ["zwei\nZeilen\tund mehr", "zwei Zeilen und mehr"],
    ["\u001b]0;title\u0007", "\\u{1b}]0;title\\u{7}"],
    ["a\u202eb", "a\\u{202e}b"],
    ["größer 東京 🔑", "größer 東京 🔑"],
  ] as const) {
    it(`of ${JSON.stringify(text)} is ${JSON.stringify(shown)}`, () => assert.equal(plain(text), shown));
  }
});
