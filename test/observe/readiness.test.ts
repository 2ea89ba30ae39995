import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const CURRENT = generationOf("inference", "current", 2);
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
