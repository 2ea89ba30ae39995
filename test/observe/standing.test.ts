import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import { marksOf, standingOf, worstFirst } from "../../src/observe/standing.ts";
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
    ["attention", "on disk, with a service that is not running", NOW, [events.live(), pending]],
    [
      "attention",
      "live as etcd has it, with a service that was not running when it was told last",
      NOW,
      [events.live(), pending, events.unchanged()],
    ],
    ["moving", "found unfinished at start, and told to services", NOW, [events.recovered(BAD)]],
    [
      "moving",
      "on its way to a service that still serves the one before",
      NOW,
      [events.live(), events.accepted(BAD), events.looked("wrong_cert")],
    ],
    [
      "moving",
      "near its end, with a newer one on its way",
      NOW,
      [events.live(), events.expiring(90_000), events.accepted(BAD)],
    ],
    ["broken", "over its end, with a newer one on its way", LATER, [events.live(), events.accepted(BAD)]],
    ["broken", "pending, and not what a service serves", NOW, [pending, events.looked("wrong_cert")]],
    ["broken", "not what a service serves", NOW, [events.live(), events.looked("wrong_cert")]],
    ["broken", "not as it was written, for good", NOW, [events.live(), events.drifted("ENOSPC")]],
    ["well", "put right again", NOW, [events.live(), events.drifted()]],
    ["attention", "near its end", NOW, [events.live(), events.expiring(90_000)]],
    ["broken", "over its end", LATER, [events.live()]],
    ["gone", "deleted, and kept", LATER, [events.live(), events.deleted(false)]],
    [
      "gone",
      "deleted, and no longer as it was written",
      NOW,
      [events.live(), events.deleted(false), events.drifted("ENOSPC")],
    ],
  ] as readonly (readonly [string, string, Date, readonly DaemonEvent[]])[]) {
    it(`is ${standing} where it is ${what}`, () => {
      const [bundle] = boardAfter(...list).bundles;
      assert.ok(bundle);
      assert.equal(standingOf(bundle, marksOf(bundle, now)), standing);
    });
  }
});

describe("bundles in order", () => {
  it("have the worst first, and stay as they were among their like", () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => events.recovered(generationOf(name, "live")));
    assert.ok(a && b && c);
    const { bundles } = boardAfter(a, b, c, events.rejected());
    assert.deepEqual(
      worstFirst(bundles, NOW).map(({ name }) => name),
      ["inference", "a", "b", "c"],
    );
  });
});
