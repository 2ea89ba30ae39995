import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { matchesAny } from "../../src/core/glob.ts";
import { costOf } from "../support/cost.ts";

describe("a pattern", () => {
  for (const [pattern, name, expected] of [
    ["*", "inference", true],
    ["inference", "inference", true],
    ["inference", "inference2", false],
    ["inference", "my-inference", false],
    ["inf*", "inference", true],
    ["*ence", "inference", true],
    ["i*e", "inference", true],
    ["i*x", "inference", false],
    ["inf*", "inf", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["a.c", "abc", false],
    ["a.c", "a.c", true],
    ["a**c", "abbbc", true],
    ["[ab]", "a", false],
    ["a|b", "a", false],
    ["", "a", false],
  ] as const) {
    it(`${JSON.stringify(pattern)} ${expected ? "matches" : "does not match"} ${name}`, () => {
      assert.equal(matchesAny(name, [pattern]), expected);
    });
  }

  it("without * and ? matches itself only, whatever characters it has", () => {
    const plain = fc.string().filter((text) => !/[*?\n]/.test(text));
    fc.assert(
      fc.property(plain, plain, (pattern, name) => {
        assert.equal(matchesAny(name, [pattern]), pattern === name);
      }),
    );
  });

  it("with many stars takes no more time for each of them", () => {
    const cost = (stars: number) => costOf(() => matchesAny("a".repeat(63), [`${"*a".repeat(stars)}*b`]));
    // Going back to every star would take tens of millions of steps, and more.
    assert.ok(cost(6) < 500 * Math.max(cost(1), 1));
  });

  it("agrees with a regular expression that says the same", () => {
    const short = (letters: readonly string[]) =>
      fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(short(["a", "b", "*", "?"]), short(["a", "b"]), (pattern, name) => {
        const same = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`);
        assert.equal(matchesAny(name, [pattern]), same.test(name));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a list of patterns", () => {
  it("matches where one of them does", () => {
    assert.equal(matchesAny("b", ["a", "b"]), true);
  });

  it("that is empty matches nothing", () => {
    assert.equal(matchesAny("a", []), false);
  });
});
