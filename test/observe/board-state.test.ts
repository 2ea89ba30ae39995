import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");
const CURRENT = generationOf("inference", "current", 2);
const pending = events.finished(
  { kind: "pending", generation: CURRENT, message: "vllm cannot be reached" },
  500,
);
const BAD = generationOf("inference", "current", 3);
const NEWER = generationOf("inference", "current", 4);
const wayBack = [events.live(), events.accepted(BAD), events.started(BAD), events.rolledBack(BAD, LIVE)];
const told = (reason: "rolledBack" | "repaired") =>
  events.finished({ kind: "live", generation: LIVE, warning: null }, null, reason);
const brokenWayBack = [events.started(BAD), events.goingBack(BAD, LIVE), events.failed(LIVE)];
const interrupted = events.finished({ kind: "interrupted" });

describe("the state of a bundle", () => {
  for (const [what, list, state, live] of [
    ["reloading after it was accepted", [events.accepted()], "reloading", false],
    ["live after its reload", [events.accepted(), events.live()], "live", true],
    ["live where nothing changed", [events.recovered(LIVE), events.unchanged()], "live", true],
    ["live after a start that found it so", [events.recovered(LIVE)], "live", true],
    ["current after a start that found it unfinished", [events.recovered(CURRENT)], "current", false],
    ["waiting for its parts", [events.waiting(false)], "waiting", false],
    ["waiting, with the older one live", [events.live(), events.waiting(true)], "waiting", true],
    ["rejected", [events.rejected()], "rejected", false],
    ["rejected, with the older one live", [events.live(), events.rejected()], "rejected", true],
    ["reloading, with the older one live", [events.live(), events.accepted(CURRENT)], "reloading", true],
    [
      "failed, with the older one live, where it was not written",
      [events.live(), events.failed(null)],
      "failed",
      true,
    ],
    ["failed and not live where it is on disk", [events.live(), events.failed(CURRENT)], "failed", false],
    ["current while a service is not reachable", [events.live(), pending], "current", false],
    [
      "what it was where a reload was interrupted",
      [events.live(), events.accepted(CURRENT), interrupted],
      "reloading",
      true,
    ],
    ["deleted, with what is on disk live", [events.live(), events.deleted(false)], "deleted", true],
    [
      "live when it is put again after it was deleted",
      [events.live(), events.deleted(false), events.unchanged()],
      "live",
      true,
    ],
    ["rolledBack and live after a way back", wayBack, "rolledBack", true],
    [
      "rolledBack and not live while a service was not told of it",
      [events.live(), events.rolledBack(BAD, LIVE, "vllm cannot be reached")],
      "rolledBack",
      false,
    ],
    [
      "rolledBack and live once that service was told",
      [
        events.rolledBack(BAD, LIVE, "vllm cannot be reached"),
        events.started(LIVE, "rolledBack"),
        told("rolledBack"),
      ],
      "rolledBack",
      true,
    ],
    [
      "rolledBack once a way back that failed is finished",
      [...brokenWayBack, told("rolledBack")],
      "rolledBack",
      true,
    ],
    ["rolledBack still where its files were put right", [...wayBack, told("repaired")], "rolledBack", true],
    [
      "quarantined where the same content comes again",
      [...wayBack, events.quarantined(BAD)],
      "quarantined",
      true,
    ],
    [
      "quarantined still where a service is told again of what is live",
      [...wayBack, events.quarantined(BAD), events.started(LIVE, "repaired"), told("repaired")],
      "quarantined",
      true,
    ],
    [
      "quarantined where that was found after a start",
      [events.recovered(LIVE), events.quarantined(BAD)],
      "quarantined",
      true,
    ],
    [
      "live where the earlier content is put again after a way back",
      [...wayBack, events.quarantined(BAD), events.unchanged()],
      "live",
      true,
    ],
    [
      "reloading where the content is tried again",
      [...wayBack, events.quarantined(BAD), events.started(BAD, "retried")],
      "reloading",
      true,
    ],
    [
      "reloading where newer content came during the way back",
      [
        events.live(),
        events.started(BAD),
        events.accepted(NEWER),
        events.rolledBack(BAD, LIVE),
        events.started(NEWER),
      ],
      "reloading",
      true,
    ],
    [
      "rejected where that came during the way back",
      [events.live(), events.started(BAD), events.rejected(), events.rolledBack(BAD, LIVE)],
      "rejected",
      true,
    ],
    [
      "current still where there was nothing to put right and a service is still to be told",
      [pending, events.finished({ kind: "unchanged", generation: CURRENT }, null, "repaired")],
      "current",
      false,
    ],
    [
      "rejected where that came while older content was reloaded",
      [events.accepted(), events.rejected(), events.live()],
      "rejected",
      true,
    ],
    [
      "waiting where that came while older content was reloaded",
      [events.accepted(), events.waiting(false), events.live()],
      "waiting",
      true,
    ],
    [
      "deleted where that came while it was reloaded",
      [events.live(), events.deleted(false), events.live()],
      "deleted",
      true,
    ],
  ] as readonly (readonly [string, readonly DaemonEvent[], string, boolean])[]) {
    it(`is ${what}`, () => {
      const bundle = boardAfter(...list).bundles[0];
      assert.deepEqual([bundle?.state, bundle?.live], [state, live]);
    });
  }

  for (const [what, list] of [
    ["removed", [events.live(), events.deleted(true)]],
    ["deleted before it ever was on disk", [events.rejected(), events.deleted(false)]],
    ["not for this node", [events.recovered(LIVE), events.excluded]],
    ["of an engine that is no more", [events.live(), { type: "engine.started" }]],
  ] as readonly (readonly [string, readonly DaemonEvent[]])[]) {
    it(`is not shown where it is ${what}`, () => {
      assert.deepEqual(boardAfter(...list).bundles, []);
    });
  }
});
