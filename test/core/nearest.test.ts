import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nearest } from "../../src/core/nearest.ts";

describe("what somebody may have meant", () => {
  for (const [word, meant] of [
    ["prefx", "prefix"],
    ["perfix", "prefix"],
    ["PREFIX", "prefix"],
    ["prefixx", "prefix"],
    ["resyncevery", "resyncEvery"],
    ["endpoint", "endpoints"],
    ["tsl", "tls"],
    ["user", undefined],
    ["res", "resyncEvery"],
    ["x", undefined],
    ["", undefined],
  ] as const) {
    it(`by ${JSON.stringify(word)} is ${meant ?? "nothing that is there"}`, () => {
      assert.equal(nearest(word, ["endpoints", "prefix", "tls", "resyncEvery"]), meant);
    });
  }

  it("is none where several begin so", () =>
    assert.equal(nearest("in", ["inferno", "inference"]), undefined));

  it("is the nearest of several", () => {
    assert.equal(nearest("inferense", ["inferno", "inference", "influence"]), "inference");
  });
});
