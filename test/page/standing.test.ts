import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import { findText, isFound, marksOf, standingOf } from "../../src/page/standing.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const NOW = new Date("2031-01-15T00:00:00.000Z");
const LATER = new Date("2031-03-01T00:00:00.000Z");
const LIVE = generationOf("inference", "live");
const BAD = generationOf("inference", "current", 2);
const pending = events.finished({ kind: "pending", generation: BAD, message: "vllm cannot be reached" }, 500);

describe("how a bundle stands", () => {
  for (const [standing, what, now, list] of [
    ["well", "live", NOW, [events.live()]],
    ["well", "looked at, and it matches", NOW, [events.live(), events.looked()]],
    ["moving", "being reloaded", NOW, [events.live(), events.accepted(BAD)]],
    ["moving", "being checked", NOW, [{ type: "bundle.observed", bundle: LIVE.name }]],
    ["moving", "waiting for parts that may yet come", NOW, [events.waiting(false)]],
    ["broken", "waiting for too long, with nothing live", NOW, [events.waiting(true)]],
    ["attention", "waiting for too long, with something live", NOW, [events.live(), events.waiting(true)]],
    ["attention", "rejected, with something live", NOW, [events.live(), events.rejected()]],
    ["broken", "rejected, with nothing live", NOW, [events.rejected()]],
    [
      "attention",
      "rolled back",
      NOW,
      [events.recovered(LIVE), events.started(BAD), events.rolledBack(BAD, LIVE)],
    ],
    ["attention", "quarantined", NOW, [events.live(), events.quarantined(BAD)]],
    ["broken", "failed", NOW, [events.live(), events.failed(BAD)]],
    ["broken", "pending", NOW, [events.live(), pending]],
    ["broken", "not what a service serves", NOW, [events.live(), events.looked("wrong_cert")]],
    ["broken", "not as it was written, for good", NOW, [events.live(), events.drifted("ENOSPC")]],
    ["well", "put right again", NOW, [events.live(), events.drifted()]],
    ["attention", "near its end", NOW, [events.live(), events.expiring(90_000)]],
    ["broken", "over its end", LATER, [events.live()]],
    ["gone", "deleted, and kept", LATER, [events.live(), events.deleted(false)]],
  ] as readonly (readonly [string, string, Date, readonly DaemonEvent[]])[]) {
    it(`is ${standing} where it is ${what}`, () => {
      const [bundle] = boardAfter(...list).bundles;
      assert.ok(bundle);
      assert.equal(standingOf(bundle, marksOf(bundle, now)), standing);
    });
  }
});

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
