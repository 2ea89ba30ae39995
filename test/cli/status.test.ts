import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeStatus } from "../../src/cli/status.ts";
import type { DaemonEvent } from "../../src/core/events.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");
const BAD = generationOf("inference", "current", 2);
const NOW = new Date("2031-01-15T00:00:00.000Z");

describe("the status for a person", () => {
  it("is one row for a bundle that is well", () => {
    const lines = linesAfter(events.connected, events.snapshot(), events.live(), events.looked());
    assert.deepEqual(lines, [
      "gpu-017: keyturn 1.2.3, ready",
      "etcd: connected to http://127.0.0.1:2379, revision 41",
      "",
      "BUNDLE     STATE  GENERATION      REVISION  EXPIRES  NAMES",
      "inference  live   1-0123456789ab  41        17.0 d   inference.local",
    ]);
  });

  it("says that a bundle was rolled back, why, once, and what to do", () => {
    const lines = linesAfter(events.recovered(LIVE), events.started(BAD), events.rolledBack(BAD, LIVE));
    assert.match(lines[4] ?? "", /^inference +rolledBack +1-0123456789ab/);
    assert.deepEqual(lines.slice(5), [
      "  inference: sha256:222222222222 is in quarantine: vllm serves another certificate; " +
        "put other content, or try it again: keyturn retry inference",
    ]);
  });

  for (const [what, event, note] of [
    [
      "content that is in quarantine",
      events.quarantined(BAD),
      /: sha256:2{12} is in quarantine: vllm serves/,
    ],
    [
      "a service that serves something else",
      events.looked("wrong_cert"),
      /^ {2}inference: vllm does not serve it \(wrong_cert\): vllm was looked at$/,
    ],
    [
      "files that cannot be put right",
      events.drifted("ENOSPC"),
      /^ {2}inference: files are not as they were written \(tls.key has 0 bytes of 241\): ENOSPC$/,
    ],
    ["a certificate that nears its end", events.expiring(90_000), /^ {2}inference: nears its end \(7d\)$/],
    ["a certificate that has expired", events.expiring(-1, "0s"), /^ {2}inference: has expired$/],
    ["what is wrong with newer content", events.rejected(), /^ {2}inference: KEY_MISMATCH: the private key/],
    ["why a reload failed", events.failed(null), /^ {2}inference: failed: vllm answered 500$/],
  ] as const) {
    it(`says ${what}`, () => {
      const lines = linesAfter(events.live(), event);
      assert.equal(lines.length, 6);
      assert.match(lines[5] ?? "", note);
    });
  }

  it("says nothing of files that were put right", () => {
    assert.equal(linesAfter(events.live(), events.drifted()).length, 5);
  });

  it("shows nothing of a certificate or a service that a terminal would obey", () => {
    const leaf = LIVE.leaf && { ...LIVE.leaf, dnsNames: ["\u001b[31mred"] };
    const told = { ...events.looked("wrong_cert"), message: "\u001b[2J" } as DaemonEvent;
    const lines = linesAfter(events.live({ ...LIVE, leaf }), told);
    assert.equal(lines.join("").includes("\u001b"), false);
  });
});

function linesAfter(...list: readonly DaemonEvent[]): string[] {
  return describeStatus(boardAfter(...list), NOW).split("\n");
}
