import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import { statusLine } from "../../src/observe/status-line.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";

describe("the status in one line", () => {
  for (const [line, list] of [
    ["0 of 0 bundles live; etcd away; not ready: etcd was not read yet", []],
    ["1 of 1 bundle live; etcd connected", [events.connected, events.snapshot(), events.live()]],
    ["1 of 1 bundle live; etcd away", [events.snapshot(), events.live(), events.disconnected]],
    [
      "0 of 1 bundle live; etcd connected; not ready: bundle inference is not live (rejected)",
      [events.connected, events.snapshot(), events.rejected()],
    ],
  ] as readonly (readonly [string, readonly DaemonEvent[]])[]) {
    it(`can be: ${line}`, () => {
      assert.equal(statusLine(boardAfter(...list)), line);
    });
  }
});
