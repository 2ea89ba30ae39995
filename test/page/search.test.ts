import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { marksOf } from "../../src/observe/standing.ts";
import { findText, isFound } from "../../src/page/search.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";

const NOW = new Date("2031-01-15T00:00:00.000Z");

describe("the search", () => {
  const labels = events.labelled({ model_version: "Llama-3" });
  const [bundle] = boardAfter(events.live(), labels, events.looked("wrong_cert"), events.rejected()).bundles;
  assert.ok(bundle);
  const text = findText(bundle, marksOf(bundle, NOW));
  for (const query of [
    "",
    "infer",
    "INFERENCE.LOCAL",
    "rejected",
    "mismatch",
    "sha256:1111",
    "1-0123456789ab",
    "model_version=llama",
    "vllm",
    "key_mismatch",
    "rejected infer",
  ]) {
    it(`finds by ${JSON.stringify(query)}`, () => {
      assert.equal(isFound(text, query), true);
    });
  }

  it("finds only what has every word", () => {
    assert.equal(isFound(text, "infer expired"), false);
  });
});
