import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plain, table } from "../../src/cli/table.ts";
import { widthOf } from "../../src/cli/width.ts";
import { COLOURFUL, narrow, PIPE } from "../support/screen.ts";

const columns = (...heads: string[]) => heads.map((head) => ({ head }));

describe("a table", () => {
  it("has columns as wide as their widest cell, and no space at the end of a line", () => {
    assert.deepEqual(
      table(
        columns("NAME", "STATE"),
        [
          ["inference", "live"],
          ["a", ""],
        ],
        PIPE,
      ),
      ["NAME       STATE", "inference  live", "a"],
    );
  });

  it("is its head where there are no rows", () => {
    assert.deepEqual(table(columns("A", "B"), [], PIPE), ["A  B"]);
  });

  it("stays aligned where a cell holds what a terminal would obey, or wide characters", () => {
    const [, ...rows] = table(
      columns("A", "B"),
      [
        ["\u001b[2Jx", "y"],
        ["東京", "z"],
      ],
      PIPE,
    );
    assert.deepEqual(rows, ["\\u{1b}[2Jx  y", "東京        z"]);
    assert.equal(widthOf("\\u{1b}[2Jx  "), widthOf("東京        "));
  });

  it("paints words, and the space between them not", () => {
    const [, row] = table(columns("STATE", "B"), [[{ text: "bad", colour: "bad" }, "y"]], COLOURFUL);
    assert.equal(row, "\u001b[31mbad\u001b[0m    y");
  });

  const digests = [
    { head: "NAME" },
    { head: "AT", isSpare: true },
    { head: "DIGEST", least: 8 },
    { head: "WHY", least: 10, wraps: true },
  ];
  const row = ["inference", "2026-11-25", "0123456789abcdef", "the service refused it"];

  it("is whole in a pipe", () => {
    assert.equal(table(digests, [row], PIPE)[1], row.join("  "));
  });

  it("cuts and wraps what may be, the widest first, where the terminal is narrow", () => {
    assert.deepEqual(table(digests, [row], narrow(48)).slice(1), [
      "inference  2026-11-25  0123456789ab…  the",
      "                                      service",
      "                                      refused it",
    ]);
  });

  it("leaves out what is spare where that is not enough", () => {
    assert.deepEqual(table(digests, [row], narrow(33)), [
      "NAME       DIGEST      WHY",
      "inference  012345678…  the",
      "                       service",
      "                       refused it",
    ]);
  });

  for (let width = 34; width < 70; width++) {
    it(`is no wider than a terminal of ${width} columns`, () => {
      for (const line of table(digests, [row], narrow(width))) assert.ok(widthOf(line) <= width, line);
    });
  }

  it("keeps what may not be cut, however narrow the terminal", () => {
    assert.match(table(digests, [row], narrow(20))[1] ?? "", /^inference {2}0123456… {2}the/);
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
