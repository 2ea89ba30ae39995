import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nowAndThen } from "../../src/runtime/now-and-then.ts";
import { manualClock } from "../support/manual-clock.ts";

describe("what happens often", () => {
  it("is said at once, and then not before its time, with how often it happened since", () => {
    const clock = manualClock();
    const happens = nowAndThen(1_000, clock);
    const said = [happens(), happens(), happens()];
    clock.advance(999);
    said.push(happens());
    clock.advance(1);
    said.push(happens(), happens());
    assert.deepEqual(said, [1, null, null, null, 4, null]);
  });

  it("is said alone again where it did not happen meanwhile", () => {
    const clock = manualClock();
    const happens = nowAndThen(1_000, clock);
    happens();
    clock.advance(5_000);
    assert.equal(happens(), 1);
  });
});
