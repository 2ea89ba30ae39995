import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { absolute, both, left, leftColour, relative } from "../../src/cli/times.ts";

const NOW = new Date("2026-11-25T17:46:20.000Z");
const after = (ms: number) => new Date(NOW.getTime() + ms).toISOString();
const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

describe("a time for a person", () => {
  for (const [ms, text] of [
    [0, "0 seconds ago"],
    [-SECOND, "1 second ago"],
    [-89 * SECOND, "89 seconds ago"],
    [-3 * MINUTE - SECOND, "3 minutes ago"],
    [-90 * MINUTE, "1 hour ago"],
    [-47 * HOUR, "47 hours ago"],
    [-3 * DAY, "3 days ago"],
    [12 * SECOND, "in 12 seconds"],
    [40 * DAY, "in 40 days"],
  ] as const) {
    it(`is ${text}`, () => assert.equal(relative(after(ms), NOW), text));
  }

  it("is said exactly too", () => {
    assert.equal(absolute("2026-11-25T17:43:15.123Z"), "2026-11-25 17:43:15Z");
    assert.equal(both("2026-11-25T17:43:15.000Z", NOW), "3 minutes ago (2026-11-25 17:43:15Z)");
  });

  it("is no nonsense where it is none", () => assert.equal(relative("soon", NOW), "-"));
});

describe("the time that a certificate has left", () => {
  for (const [ms, text, colour] of [
    [30 * DAY, "30.0 d", "good"],
    [7 * DAY, "7.0 d", "warning"],
    [DAY + HOUR, "1.0 d", "warning"],
    [5 * HOUR, "5.0 h", "bad"],
    [0, "expired", "bad"],
    [-DAY, "expired", "bad"],
  ] as const) {
    it(`is ${text} and ${colour}`, () => {
      assert.equal(left(after(ms), NOW), text);
      assert.equal(leftColour(after(ms), false, NOW), colour);
    });
  }

  it("is a warning once a threshold of the configuration was passed", () => {
    assert.equal(leftColour(after(29 * DAY), true, NOW), "warning");
  });
});
