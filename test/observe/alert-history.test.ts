import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import { lineOf } from "../../src/observe/lines.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");
const BAD = generationOf("inference", "current", 2);

function bundleAfter(...list: readonly DaemonEvent[]) {
  const [bundle] = boardAfter(events.live(), ...list).bundles;
  assert.ok(bundle);
  return bundle;
}

describe("what alerts had done", () => {
  it("is in the status of the bundle: first that it was begun, then how it ended", () => {
    const begun = bundleAfter(events.alertActed("begun")).alerts;
    const ended = bundleAfter(events.alertActed("begun"), events.alertActed("done")).alerts;
    assert.deepEqual(
      [begun, ended].map((alerts) => alerts.map(({ alert, action, result }) => [alert, action, result])),
      [[["ModelErrors", "rollback", "begun"]], [["ModelErrors", "rollback", "done"]]],
    );
  });

  it("is there with what a limit held back, the newest first, and not without end", () => {
    const held = Array.from({ length: 30 }, (_, at) => events.alertActed("limited", `Alert${at}`));
    const { alerts } = bundleAfter(events.alertActed("begun"), ...held);
    assert.deepEqual([alerts.length, alerts[0]?.alert, alerts[19]?.alert], [20, "Alert29", "Alert10"]);
  });

  it("is named in the history of reloads, and those before and after it are not", () => {
    const { history } = bundleAfter(
      ...[events.alertActed("begun"), events.started(BAD, "rolledBack"), events.rolledBack(BAD, LIVE)],
      ...[events.alertActed("done"), events.live(BAD)],
    );
    assert.deepEqual(
      history.map(({ outcome, alert }) => [outcome, alert]),
      [
        ["live", null],
        ["rolledBack", "ModelErrors"],
        ["live", null],
      ],
    );
  });

  it("is in the log, with the alert and the bundle", () => {
    const [level, message, fields] = lineOf(events.alertActed("limited")) ?? [];
    assert.equal(level, "error");
    assert.match(message ?? "", /a limit holds it back/);
    const { alert, bundle } = fields as { readonly alert?: string; readonly bundle?: string };
    assert.deepEqual([alert, bundle], ["ModelErrors", "inference"]);
  });
});
