import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");
const CURRENT = generationOf("inference", "current", 2);
const pending = events.finished(
  { kind: "pending", generation: CURRENT, message: "vllm cannot be reached" },
  500,
);

describe("the board", () => {
  it("shows the generation that is on disk, not the one that was rejected", () => {
    assert.deepEqual(boardAfter(events.live(), events.rejected()).bundles[0]?.generation, LIVE);
  });

  it("shows why the newest content is not live", () => {
    assert.deepEqual(boardAfter(events.live(), events.rejected()).bundles[0]?.problems, [
      events.KEY_MISMATCH,
    ]);
  });

  for (const [what, event] of [
    ["good content came", events.accepted()],
    ["the live content came back", events.unchanged()],
    ["it is deleted", events.deleted(false)],
  ] as const) {
    it(`shows no problems any more once ${what}`, () => {
      const bundle = boardAfter(events.live(), events.waiting(true), event).bundles[0];
      assert.deepEqual([bundle?.problems, bundle?.overdue], [[], false]);
    });
  }

  it("shows that parts are overdue", () => {
    assert.equal(boardAfter(events.waiting(false), events.waiting(true)).bundles[0]?.overdue, true);
  });

  it("shows the last reload, and when it is tried again", () => {
    assert.deepEqual(boardAfter(pending).bundles[0]?.lastReload, {
      outcome: "pending",
      message: "vllm cannot be reached",
      finishedAt: "2031-01-15T00:00:00.000Z",
      totalMs: 125.04,
      steps: { stage: 3, "notify.1": 100 },
      retryAt: "2031-01-15T00:00:00.500Z",
    });
  });

  it("shows labels, and keeps them through a reload", () => {
    const { bundles } = boardAfter(
      events.labelled({ model_version: "3.1" }),
      events.accepted(),
      events.live(),
    );
    assert.deepEqual(bundles[0]?.labels, { model_version: "3.1" });
  });

  it("shows the last attempt to tell each service", () => {
    assert.deepEqual(
      boardAfter(events.told("busy"), events.told()).services.map(({ name, result }) => [name, result]),
      [["vllm", "delivered"]],
    );
  });

  it("shows bundles by name", () => {
    const names = ["b", "c", "a"].map((name) => events.recovered(generationOf(name, "live")));
    assert.deepEqual(
      boardAfter(...names).bundles.map(({ name }) => name),
      ["a", "b", "c"],
    );
  });

  it("shows why there is no link to etcd, and forgets it when there is one again", () => {
    const down = boardAfter(events.connected, events.disconnected).etcd;
    const up = boardAfter(events.disconnected, events.connected).etcd;
    assert.deepEqual(
      [down.connected, down.problem?.code, up.connected, up.problem],
      [false, "ETCD_UNAVAILABLE", true, null],
    );
  });

  it("shows revision, depth of the queue and ignored keys", () => {
    const ignored = { type: "key.ignored", key: "/certs/A", why: "", first: false } as const;
    const { etcd, queueDepth, ignoredKeys } = boardAfter(
      ...[events.snapshot(44), ignored, ignored, { type: "queue.changed", depth: 2 } as const],
    );
    assert.deepEqual([etcd.revision, queueDepth, ignoredKeys], [44, 2, 2]);
  });

  it("forgets the depth of a queue that is no more", () => {
    assert.equal(boardAfter({ type: "queue.changed", depth: 2 }, { type: "engine.started" }).queueDepth, 0);
  });
});
