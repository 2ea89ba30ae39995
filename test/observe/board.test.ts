import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");
const CURRENT = generationOf("inference", "current", 2);
const BAD = generationOf("inference", "current", 3);
const NOW = "2031-01-15T00:00:00.000Z";
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

  it("shows every service of the configuration, also one that was never told of anything", () => {
    const vllm = { name: "vllm", stage: 1, bundles: ["*"], notify: "http", verify: ["tls"] };
    const { configured, services } = boardAfter({ type: "engine.started", services: [vllm] });
    assert.deepEqual([configured, services], [[vllm], []]);
  });

  it("shows which content came last from etcd, and that it is none once the live content is back", () => {
    const [newest, none] = [
      boardAfter(events.live(), events.accepted(CURRENT), events.rejected()),
      boardAfter(events.live(), events.rejected(), events.unchanged()),
    ].map(({ bundles }) => bundles[0]?.newest);
    assert.deepEqual([newest, none], [{ revision: 42, digest: null, at: NOW }, null]);
    const accepted = boardAfter(events.accepted(BAD)).bundles[0]?.newest;
    assert.deepEqual(accepted, { revision: BAD.revision, digest: BAD.digest, at: NOW });
  });

  it("shows what each service was last seen to serve, by its name", () => {
    const { bundles } = boardAfter(
      ...[
        events.live(),
        events.looked("wrong_cert"),
        events.looked(null, "triton"),
        events.looked("timeout"),
      ],
    );
    assert.deepEqual(
      bundles[0]?.served.map(({ service, matches, reason, serverName, at }) => [
        ...[service, matches, reason, serverName, at],
      ]),
      [
        ["triton", true, null, "inference.local", NOW],
        ["vllm", false, "timeout", "inference.local", NOW],
      ],
    );
  });

  for (const [what, event] of [
    ["a look", events.looked("wrong_cert")],
    ["drift", events.drifted()],
    ["a warning", events.expiring(1_000)],
  ] as const) {
    it(`does not make a bundle known by ${what} that comes after it is gone`, () => {
      assert.deepEqual(boardAfter(events.live(), events.deleted(true), event).bundles, []);
    });
  }

  it("shows the files that were last found not to be as they were written", () => {
    assert.deepEqual(
      boardAfter(events.live(), events.drifted(), events.drifted("ENOSPC")).bundles[0]?.drift,
      {
        at: NOW,
        findings: ["tls.key has 0 bytes of 241"],
        failure: "ENOSPC",
      },
    );
  });

  it("shows that a certificate expires, until another one is current", () => {
    const warned = [events.live(), events.expiring(90_500)];
    const renewed = generationOf("inference", "live", 2);
    const leaf = renewed.leaf && { ...renewed.leaf, fingerprint256: "CC:DD" };
    assert.deepEqual(
      [
        boardAfter(...warned, events.live(renewed)),
        boardAfter(...warned, events.live({ ...renewed, leaf })),
      ].map(({ bundles }) => bundles[0]?.expiring),
      [{ threshold: "7d", remainingSeconds: 90, at: NOW }, null],
    );
  });

  it("shows no longer what a wrong clock said of its end", () => {
    const after = boardAfter(events.live(), events.expiring(-1, "0s"), events.standing(null));
    assert.equal(after.bundles[0]?.expiring, null);
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

describe("the board after a way back", () => {
  const bundle = boardAfter(
    ...[
      events.recovered(LIVE),
      events.started(BAD),
      events.goingBack(BAD, LIVE),
      events.rolledBack(BAD, LIVE),
    ],
  ).bundles[0];

  it("shows the generation that was put back", () => {
    assert.equal(bundle?.generation?.id, LIVE.id);
  });

  it("shows why, and what is in quarantine now", () => {
    const why = "vllm serves another certificate";
    assert.deepEqual(
      [bundle?.lastReload?.outcome, bundle?.lastReload?.message, bundle?.quarantine],
      ["rolledBack", why, { digest: BAD.digest, why }],
    );
  });

  it("counts it", () => assert.equal(bundle?.rollbacks, 1));

  it("shows no quarantine where the way back was not to set the content aside", () => {
    const from = events.givenUp(BAD, LIVE, { quarantined: false });
    const outcome = { kind: "rolledBack", generation: LIVE, from, message: "", unfinished: null } as const;
    assert.equal(boardAfter(events.finished(outcome)).bundles[0]?.quarantine, null);
  });

  it("shows the quarantine where services could not be told of it", () => {
    const failed = [events.started(BAD), events.goingBack(BAD, LIVE), events.failed(LIVE)];
    assert.equal(boardAfter(...failed).bundles[0]?.quarantine?.digest, BAD.digest);
  });

  it("shows no quarantine where it did not come as far as the flip", () => {
    const failed = [events.started(BAD), events.goingBack(BAD, LIVE), events.failed(BAD)];
    assert.equal(boardAfter(...failed).bundles[0]?.quarantine, null);
  });
});

describe("the history of reloads", () => {
  it("has the newest first, and what became of each", () => {
    const { bundles } = boardAfter(events.live(), events.rolledBack(BAD, LIVE));
    assert.deepEqual(
      bundles[0]?.history.map(({ outcome, reason, generation, message, finishedAt, totalMs, times }) => [
        ...[outcome, reason, generation, message, finishedAt, totalMs, times],
      ]),
      [
        ["rolledBack", "rotated", LIVE.id, "vllm serves another certificate", NOW, 125.04, 1],
        ["live", "rotated", LIVE.id, null, NOW, 125.04, 1],
      ],
    );
  });

  it("counts what ends the same again, instead of forgetting what was before", () => {
    const { bundles } = boardAfter(events.live(), ...Array.from({ length: 50 }, () => pending));
    assert.deepEqual(
      bundles[0]?.history.map(({ outcome, times }) => [outcome, times]),
      [
        ["pending", 50],
        ["live", 1],
      ],
    );
  });

  it("has nothing of reloads that were broken off", () => {
    const { bundles } = boardAfter(events.recovered(LIVE), events.finished({ kind: "interrupted" }));
    assert.deepEqual(bundles[0]?.history, []);
  });

  it("has the last twenty", () => {
    const many = Array.from({ length: 30 }, (_, index) =>
      events.live(generationOf("inference", "live", index)),
    );
    const history = boardAfter(...many).bundles[0]?.history ?? [];
    assert.deepEqual(
      [history.length, history[0]?.generation, history.at(-1)?.generation],
      [20, "29-0123456789ab", "10-0123456789ab"],
    );
  });
});
