import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fullJitterMs } from "../../src/runtime/backoff.ts";

const BOUNDS = { baseMs: 100, capMs: 5_000 };

describe("a wait with full jitter", () => {
  it("is between zero and the doubled base, and never above the cap", () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), random, (attempt, drawn) => {
        const wait = fullJitterMs(attempt, BOUNDS, drawn);
        assert.ok(wait >= 0 && wait <= Math.min(5_000, 100 * 2 ** (attempt - 1)), `${wait}`);
      }),
    );
  });

  it("doubles its ceiling with each failed attempt, up to the cap", () => {
    const ceilings = [1, 2, 3, 6, 7, 1_000].map((attempt) => fullJitterMs(attempt, BOUNDS, 1));
    assert.deepEqual(ceilings, [100, 200, 400, 3_200, 5_000, 5_000]);
  });

  it("begins at zero", () => {
    assert.equal(fullJitterMs(5, BOUNDS, 0), 0);
  });

  it("is drawn anew each time", () => {
    const waits = new Set(Array.from({ length: 100 }, () => fullJitterMs(20, BOUNDS)));
    assert.ok(waits.size > 10);
  });
});
