import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listSome, shorten } from "../../src/core/words.ts";

describe("words of others in messages", () => {
  it("are quoted whole where they are few", () => {
    assert.equal(shorten("a".repeat(200)), "a".repeat(200));
    assert.equal(listSome(["a", "b"], "; "), "a; b");
    assert.equal(listSome([]), "");
  });

  it("are cut where they are long", () => {
    assert.equal(shorten("a".repeat(201)), `${"a".repeat(200)}…`);
    assert.equal(shorten("abc", 2), "ab…");
  });

  it("are counted where they are many", () => {
    assert.equal(listSome(["a", "b", "c"], ", ", 2), "a, b and 1 more");
    const long = listSome(Array.from({ length: 50 }, () => "a".repeat(1_000)));
    assert.ok(long.endsWith("a… and 40 more"));
    assert.ok(long.length < 3_000);
  });
});
