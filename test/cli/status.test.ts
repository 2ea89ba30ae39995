import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Screen } from "../../src/cli/screen.ts";
import { describeBundle } from "../../src/cli/status-bundle.ts";
import { describeStatus } from "../../src/cli/status-text.ts";
import { widthOf } from "../../src/cli/width.ts";
import type { DaemonEvent } from "../../src/core/events.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";
import { COLOURFUL, narrow, PIPE } from "../support/screen.ts";

const LIVE = generationOf("inference", "live");
const BAD = generationOf("inference", "current", 2);
const PENDING = events.finished({ kind: "pending", generation: BAD, message: "vllm cannot be reached" }, 500);
const NOW = new Date("2031-01-15T00:00:00.000Z");

describe("the status for a person", () => {
  it("is one row for a bundle that is well, and one for what its service serves", () => {
    const lines = linesAfter(
      events.connected,
      events.snapshot(),
      events.live(),
      events.looked(),
      events.told(),
    );
    assert.deepEqual(lines, [
      "gpu-017: keyturn 1.2.3, ready",
      "started  0 seconds ago (2031-01-15 00:00:00Z)",
      "etcd     connected to http://127.0.0.1:2379, revision 41, read 0 seconds ago (2031-01-15 00:00:00Z)",
      "",
      "BUNDLE     STATE  LEFT    GENERATION      REVISION  SINCE        AT                    NAMES",
      "inference  live   17.0 d  1-0123456789ab  41        13 days ago  2031-01-01 00:00:01Z  inference.local",
      "",
      "SERVICE  BUNDLE     SERVES IT  LAST HOOK  TOLD           AT",
      "vllm     inference  yes        delivered  0 seconds ago  2031-01-15 00:00:00Z",
    ]);
  });

  it("says that a bundle was rolled back, why, once, and what to do", () => {
    const lines = linesAfter(events.recovered(LIVE), events.started(BAD), events.rolledBack(BAD, LIVE));
    assert.deepEqual(attentionIn(lines), [
      "1 of 1 bundles to look at",
      "  inference: rolledBack",
      "    sha256:222222222222 is in quarantine: vllm serves another certificate",
      "      put other content, or try it again: keyturn retry inference",
    ]);
  });

  for (const [what, event, ...notes] of [
    [
      "content that is in quarantine",
      events.quarantined(BAD),
      /^ {2}inference: quarantined$/,
      /^ {4}sha256:2{12} is in quarantine: vllm serves/,
      /keyturn retry inference$/,
    ],
    [
      "a service that serves something else",
      events.looked("wrong_cert"),
      /^ {2}inference: live$/,
      /^ {4}vllm does not serve it \(wrong_cert\): vllm was looked at$/,
      /told again at the next look/,
    ],
    [
      "files that cannot be put right",
      events.drifted("ENOSPC"),
      /^ {2}inference: live$/,
      /^ {4}files are not as they were written \(tls.key has 0 bytes of 241\): ENOSPC$/,
      /output\.dir/,
    ],
    [
      "a certificate that nears its end",
      events.expiring(90_000),
      /^ {2}inference: live$/,
      /^ {4}its certificate nears its end \(7d\)$/,
      /keyturn put inference/,
    ],
    [
      "a certificate that has expired",
      events.expiring(-1, "0s"),
      /^ {2}inference: live$/,
      /^ {4}its certificate has expired$/,
      /keyturn put inference/,
    ],
    [
      "what is wrong with newer content",
      events.rejected(),
      /^ {2}inference: rejected$/,
      /^ {4}KEY_MISMATCH: the private key/,
      /keyturn inspect --name inference/,
    ],
    [
      "why a reload failed, and when it is tried again",
      events.failed(null),
      /^ {2}inference: failed$/,
      /^ {4}failed: vllm answered 500; tried again in 1 second \(2031-01-15 00:00:01Z\)$/,
    ],
    [
      "that it was deleted",
      events.deleted(false),
      /^ {2}inference: deleted$/,
      /^ {4}it was deleted in etcd; what was live stays$/,
    ],
  ] as const) {
    it(`says ${what}`, () => {
      const lines = attentionIn(linesAfter(events.live(), event));
      assert.equal(lines.length, notes.length + 1, lines.join("\n"));
      for (const [at, note] of notes.entries()) assert.match(lines[at + 1] ?? "", note);
    });
  }

  it("says nothing of files that were put right", () => {
    assert.deepEqual(attentionIn(linesAfter(events.live(), events.drifted())), []);
  });

  it("has what is broken first", () => {
    const named = (name: string) => generationOf(name, "live");
    const lines = linesAfter(
      events.recovered(named("a")),
      events.recovered(named("b")),
      events.recovered(named("c")),
      events.recovered(LIVE),
      events.rejected(),
      { ...events.looked("wrong_cert"), bundle: named("c").name } as DaemonEvent,
    );
    const from = lines.findIndex((line) => line.startsWith("BUNDLE"));
    const names = lines.slice(from + 1, from + 5).map((line) => line.split(" ")[0]);
    assert.deepEqual(names, ["c", "inference", "a", "b"]);
  });

  it("says why there is no link to etcd, and that nothing is there yet", () => {
    const lines = linesAfter(events.disconnected);
    assert.deepEqual(lines.slice(1), [
      "because  etcd was not read yet",
      "started  0 seconds ago (2031-01-15 00:00:00Z)",
      "etcd     not connected: nobody answers; revision 0, not read yet",
      "",
      "no bundles yet: nothing under the prefix that this node takes",
    ]);
  });

  it("fits a narrow terminal", () => {
    const status = [events.live(), events.looked("wrong_cert"), events.told(), events.rejected()];
    for (const columns of [80, 100, 120]) {
      for (const line of linesOn(narrow(columns), ...status)) assert.ok(widthOf(line) <= columns, line);
    }
  });

  it("says by colour how it is", () => {
    const text = linesOn(COLOURFUL, events.live(), events.looked("wrong_cert")).join("\n");
    assert.ok(text.includes("\u001b[31mno: wrong_cert\u001b[0m"));
    assert.ok(text.includes("\u001b[32m17.0 d\u001b[0m"));
  });

  for (const [how, code, ...list] of [
    ["a bundle whose service is not running as one that wants an eye", "33", events.live(), PENDING],
    [
      "a bundle that is on its way as that",
      "36",
      events.live(),
      events.looked("wrong_cert"),
      events.accepted(BAD),
    ],
    ["a bundle that was deleted as one that nobody wants", "2", events.live(), events.deleted(false)],
  ] as const) {
    it(`paints ${how}`, () => {
      const lines = linesOn(COLOURFUL, ...list);
      assert.match(
        lines.find((line) => line.startsWith("inference ")) ?? "",
        new RegExp(`\\u001b\\[${code}m[a-z]+\\u001b`),
      );
    });
  }

  it("shows nothing of a certificate or a service that a terminal would obey", () => {
    const leaf = LIVE.leaf && { ...LIVE.leaf, dnsNames: ["\u001b[31mred"] };
    const told = { ...events.looked("wrong_cert"), message: "\u001b[2J" } as DaemonEvent;
    const lines = linesAfter(events.live({ ...LIVE, leaf }), told);
    assert.equal(lines.join("").includes("\u001b"), false);
  });
});

describe("one bundle for a person", () => {
  it("is everything that is known of it", () => {
    const { bundles, services } = boardAfter(
      events.labelled({ model_version: "7b" }),
      events.live(),
      events.looked(),
      events.told(),
      events.rejected(),
    );
    const [bundle] = bundles;
    assert.ok(bundle);
    const text = describeBundle(bundle, services, NOW, PIPE).join("\n");
    for (const fact of [
      /^inference: rejected\n {2}KEY_MISMATCH: .*\n {4}keyturn inspect --name inference/,
      /^ {2}on disk +1-0123456789ab, revision 41, live since 13 days ago \(2031-01-01 00:00:01Z\); every service was told$/m,
      /^ {2}digest +sha256:1{64}$/m,
      /^ {2}leaf +CN=inference; serial \S+; EC P-256$/m,
      /^ {2}valid +2031-01-01 00:00:00Z to 2031-02-01 00:00:00Z: 17\.0 d left$/m,
      /^ {2}labels +model_version=7b$/m,
      /^ {2}reload +live in 125 ms, 0 seconds ago \(2031-01-15 00:00:00Z\)$/m,
      /^ {2}steps +stage 3 ms, notify\.1 100 ms$/m,
      /^vllm +inference +yes +delivered/m,
      /^0 seconds ago +2031-01-15 00:00:00Z +live +rotated +1-0123456789ab +125 ms$/m,
    ]) {
      assert.match(text, fact);
    }
  });

  it("is short where nothing is on disk", () => {
    const [bundle] = boardAfter(events.rejected()).bundles;
    assert.ok(bundle);
    assert.deepEqual(describeBundle(bundle, [], NOW, PIPE).slice(-2), ["", "  on disk  nothing yet"]);
  });
});

function linesAfter(...list: readonly DaemonEvent[]): string[] {
  return linesOn(PIPE, ...list);
}

function linesOn(screen: Screen, ...list: readonly DaemonEvent[]): string[] {
  return describeStatus(boardAfter(...list), NOW, screen);
}

/** What is to be looked at; nothing where there is nothing. */
function attentionIn(lines: readonly string[]): readonly string[] {
  const from = lines.findIndex((line) => line.endsWith("to look at"));
  return from < 0 ? [] : lines.slice(from, lines.indexOf("", from));
}
