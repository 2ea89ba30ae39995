import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cut, pad, widthOf, wrap } from "../../src/cli/width.ts";

describe("the width of a text", () => {
  for (const [text, width] of [
    ["", 0],
    ["inference", 9],
    ["größer", 6],
    ["gro\u0308ßer", 6],
    ["東京", 4],
    ["ｱｲｳ", 3],
    ["Ａ", 2],
    ["한국어", 6],
    ["🔑", 2],
    ["❤️", 2],
    ["👩‍🚀", 2],
    ["…", 1],
    ["→", 1],
  ] as const) {
    it(`of ${JSON.stringify(text)} is ${width}`, () => assert.equal(widthOf(text), width));
  }
});

describe("a text that is cut", () => {
  for (const [text, columns, shown] of [
    ["inference", 9, "inference"],
    ["inference", 8, "inferen…"],
    ["東京都", 6, "東京都"],
    ["東京都", 5, "東京…"],
    ["東京都", 4, "東…"],
    ["a b", 2, "a…"],
    ["ab", 1, "…"],
    ["ab", 0, ""],
  ] as const) {
    it(`to ${columns} columns: ${text}`, () => {
      assert.equal(cut(text, columns), shown);
      assert.ok(widthOf(shown) <= columns);
    });
  }
});

describe("a text that is wrapped", () => {
  it("goes on between words", () => {
    assert.deepEqual(wrap("one two three", 8), ["one two", "three"]);
  });

  it("breaks a word that is too long, and no character", () => {
    assert.deepEqual(wrap("a 東京都庁 b", 5), ["a", "東京", "都庁", "b"]);
    assert.deepEqual(wrap("0123456789", 4), ["0123", "4567", "89"]);
  });

  it("is one line where it fits, and where there is nothing", () => {
    assert.deepEqual(wrap("a b", 3), ["a b"]);
    assert.deepEqual(wrap("", 3), [""]);
  });
});

describe("a text that is padded", () => {
  it("is as wide as it should be", () => assert.equal(widthOf(pad("東京", 6)), 6));
  it("stays what it is where it is wider", () => assert.equal(pad("abc", 2), "abc"));
});
