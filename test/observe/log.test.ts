import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import { Secret } from "../../src/core/secret.ts";
import { createLog, logEvents } from "../../src/observe/log.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");
const CURRENT = generationOf("inference", "current", 2);
const DAY_MS = 86_400_000;
const delayed = {
  type: "expiry.delayed",
  bundle: LIVE.name,
  message: "nobody answers",
  retryInMs: 100,
} as const;
const ignored = (first: boolean) =>
  ({ type: "key.ignored", key: "/certs/A", why: "no name", first }) as const;
const denied = { ...events.disconnected, code: "ETCD_DENIED" } as DaemonEvent;
const badMeta = { ...events.labelled({}), problem: { code: "META_INVALID", message: "" } } as DaemonEvent;

describe("a log line", () => {
  for (const [event, level, message] of [
    [events.connected, "info", "connected to etcd"],
    [events.disconnected, "warn", "no link to etcd"],
    [denied, "error", "no link to etcd"],
    [events.snapshot(1, "start"), "info", "prefix was read"],
    [events.snapshot(1, "watch"), "debug", "prefix was read"],
    [ignored(true), "warn", "key is ignored"],
    [events.excluded, "debug", "bundle is not for this node"],
    [events.unchanged(), "debug", "bundle is unchanged"],
    [events.accepted(), "debug", "bundle is good"],
    [events.waiting(false), "info", "bundle waits for its parts"],
    [events.waiting(true), "warn", "bundle still waits for its parts"],
    [events.rejected(), "error", "bundle is rejected, what is live stays"],
    [events.deleted(true), "warn", "bundle was deleted in etcd and removed here"],
    [events.deleted(false), "warn", "bundle is not in etcd, what is live stays"],
    [events.deleted(false, "EACCES"), "warn", "bundle was deleted in etcd and cannot be removed here"],
    [badMeta, "warn", "meta.json is not used"],
    [events.recovered(CURRENT), "warn", "an unfinished reload goes on"],
    [events.live(), "info", "bundle is live"],
    [events.finished({ kind: "unchanged", generation: LIVE }), "debug", "bundle is live already"],
    [events.finished({ kind: "interrupted" }), "info", "reload was broken off"],
    [
      events.finished({ kind: "pending", generation: LIVE, message: "" }),
      "warn",
      "bundle is on disk, a service is not reachable",
    ],
    [events.failed(null), "error", "reload failed"],
    [events.told(), "debug", "service was told"],
    [
      events.legacyKey,
      "warn",
      "private key is in a form that only OpenSSL's legacy provider reads, it was made PKCS#8",
    ],
    [
      events.quarantined(CURRENT),
      "warn",
      "bundle was rolled back before and is in quarantine, what is live stays",
    ],
    [events.goingBack(CURRENT, LIVE), "error", "bundle goes back to an earlier generation"],
    [
      events.rolledBack(CURRENT, LIVE),
      "error",
      "bundle was rolled back, an earlier generation is current again",
    ],
    [events.looked(), "debug", "service serves what is current"],
    [events.looked("wrong_cert"), "warn", "service does not serve what is current"],
    [events.drifted(), "warn", "files on disk were not as they were written, they were put right"],
    [
      events.drifted("ENOSPC"),
      "error",
      "files on disk are not as they were written, and cannot be put right",
    ],
    [events.expiring(DAY_MS + 1), "warn", "certificate nears its end"],
    [events.expiring(DAY_MS), "error", "certificate nears its end"],
    [events.expiring(0), "error", "certificate has expired"],
    [events.clockBehind, "error", "the clock of this node is wrong: what is live is not valid yet"],
    [delayed, "warn", "an expiry warning is not through yet, it is tried again"],
    [events.configWarned, "warn", "a setting is likely a mistake"],
    [events.adminRefused("wrong_token"), "warn", "a request to the admin server was refused"],
    [events.handshakeRestarted, "warn", "process that makes handshakes was started again"],
  ] as const) {
    it(`of ${event.type} is ${level}: ${message}`, () => {
      const lines = linesOf(event);
      assert.deepEqual(
        lines.map((line) => [line.level, line.msg, line.event]),
        [[level, message, event.type]],
      );
    });
  }

  for (const [what, event] of [
    ["a key that was ignored before", ignored(false)],
    ["labels that are good", events.labelled({ a: "b" })],
    ["a start that found all well", events.recovered(LIVE)],
    ["a refusal of which one was told just now", events.adminRefused("wrong_token", null)],
    ["the depth of the queue", { type: "queue.changed", depth: 2 }],
    ["the start of an engine", { type: "engine.started" }],
  ] as readonly (readonly [string, DaemonEvent])[]) {
    it(`is not written for ${what}`, () => assert.deepEqual(linesOf(event), []));
  }

  it("says the node and the time", () => {
    const [line] = linesOf(events.connected);
    assert.equal(line?.node, "gpu-017");
    assert.equal(new Date(String(line?.time)).toISOString(), line?.time);
  });

  it("of a reload says what an operator asks for", () => {
    const { time: _, ...line } = linesOf(events.failed(CURRENT))[0] ?? {};
    assert.deepEqual(line, {
      level: "error",
      node: "gpu-017",
      event: "reload.finished",
      bundle: "inference",
      digest: generationOf().digest,
      reason: "rotated",
      outcome: "failed",
      generation: "2-0123456789ab",
      revision: 42,
      notAfter: "2031-02-01T00:00:00.000Z",
      why: "vllm answered 500",
      ms: 125,
      steps: { stage: 3, "notify.1": 100 },
      retryInMs: 1_000,
      msg: "reload failed",
    });
  });

  it("of a rejection says every problem", () => {
    assert.deepEqual(linesOf(events.rejected())[0]?.problems, [events.KEY_MISMATCH]);
  });

  it("of a way back says from where, to where, why, and what is left to do", () => {
    const [line] = linesOf(events.rolledBack(CURRENT, LIVE, "triton is not running"));
    assert.deepEqual(
      [line?.from, line?.to, line?.why, line?.unfinished],
      [CURRENT.id, LIVE.id, "vllm serves another certificate", "triton is not running"],
    );
  });

  it("of a quarantine says how it is lifted", () => {
    assert.match(String(linesOf(events.quarantined(LIVE))[0]?.help), /: keyturn retry inference$/);
  });

  it("of an expiring certificate says which one, and how long it has", () => {
    const [line] = linesOf(events.expiring(90_500));
    assert.deepEqual(
      [line?.bundle, line?.subject, line?.threshold, line?.remainingSeconds],
      ["inference", "CN=inference", "7d", 90],
    );
  });

  it("is one line whatever is in it", () => {
    const name = "/certs/a\nb\u2028\u0000";
    assert.deepEqual(
      linesOf({ ...ignored(true), key: name }).map(({ key }) => key),
      [name],
    );
  });

  it("below the level is not written", () => {
    assert.deepEqual(writtenAt("warn", events.connected), []);
  });

  it("shows no secret, even where one was put into an event by mistake", () => {
    const slip = { ...events.connected, endpoint: new Secret("hunter2") } as unknown as DaemonEvent;
    assert.deepEqual(
      linesOf(slip).map(({ endpoint }) => endpoint),
      ["[secret]"],
    );
  });
});

function linesOf(event: DaemonEvent): Record<string, unknown>[] {
  return writtenAt("trace", event);
}

function writtenAt(level: string, event: DaemonEvent): Record<string, unknown>[] {
  let text = "";
  const write = (line: string) => {
    text += line;
  };
  logEvents(createLog({ level, format: "json", node: "gpu-017" }, { write }))(event);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
