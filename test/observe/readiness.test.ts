import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import { boardAfter, boardAt } from "../support/board.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const CURRENT = generationOf("inference", "current", 2);
const LIVE = generationOf("inference", "live");
const pending = events.finished(
  { kind: "pending", generation: CURRENT, message: "vllm cannot be reached" },
  500,
);

describe("readiness", () => {
  for (const [what, list, reasons] of [
    ["not given before etcd was read", [events.connected], ["etcd was not read yet"]],
    ["given once etcd was read, also where it holds nothing", [events.snapshot()], []],
    ["given while every bundle is live", [events.snapshot(), events.live()], []],
    ["kept while the link to etcd is down", [events.snapshot(), events.live(), events.disconnected], []],
    ["kept where newer content is rejected", [events.snapshot(), events.live(), events.rejected()], []],
    [
      "not given while a bundle is reloaded first",
      [events.snapshot(), events.accepted()],
      ["bundle inference is not live (reloading)"],
    ],
    [
      "not given where a bundle is rejected and none was live",
      [events.snapshot(), events.rejected()],
      ["bundle inference is not live (rejected)"],
    ],
    [
      "not given where a service was not told",
      [events.snapshot(), pending],
      ["bundle inference is not live (current)"],
    ],
    ["given after a way back that is finished", [events.snapshot(), events.rolledBack(CURRENT, LIVE)], []],
    [
      "not given after a way back that some service was not told of",
      [events.snapshot(), events.rolledBack(CURRENT, LIVE, "vllm cannot be reached")],
      ["bundle inference is not live (rolledBack)"],
    ],
    [
      "given while newer content is in quarantine",
      [events.snapshot(), events.recovered(LIVE), events.quarantined(CURRENT)],
      [],
    ],
    [
      "not given for two reasons at once",
      [events.rejected()],
      ["etcd was not read yet", "bundle inference is not live (rejected)"],
    ],
  ] as readonly (readonly [string, readonly DaemonEvent[], readonly string[]])[]) {
    it(`is ${what}`, () => {
      const { ready, notReady } = boardAfter(...list);
      assert.deepEqual([ready, notReady], [reasons.length === 0, reasons]);
    });
  }
});

describe("readiness at the end of a certificate", () => {
  const LAST = new Date("2031-02-01T00:00:00.000Z");
  const AFTER = new Date("2031-02-01T00:00:00.001Z");
  const trust = { ...LIVE, leaf: null };
  for (const [what, asked, event, reasons] of [
    ["given up to its last moment", LAST, events.live(), []],
    ["not given when it is over", AFTER, events.live(), ["bundle inference has expired"]],
    ["given for a trust bundle, which has none", AFTER, events.live(trust), []],
  ] as const) {
    it(`is ${what}`, () => {
      assert.deepEqual(boardAt(asked, events.snapshot(), event).notReady, reasons);
    });
  }

  it("is given where the bundle was deleted and is only kept", () => {
    assert.equal(boardAt(AFTER, events.snapshot(), events.live(), events.deleted(false)).ready, true);
  });
});
