import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import * as events from "../support/events.ts";
import { nameOf } from "../support/material.ts";
import { afterEvents } from "../support/metrics.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");
const BAD = generationOf("inference", "current", 2);
const remind = events.finished({ kind: "live", generation: LIVE, warning: null }, null, "repaired");

describe("whether the last reload was successful", () => {
  const pending = events.finished({ kind: "pending", generation: LIVE, message: "" }, 1);
  const interrupted = events.finished({ kind: "interrupted" });
  for (const [what, list, expected] of [
    ["yes after one that ended live", [events.live()], 1],
    ["yes after content that is live already", [events.unchanged()], 1],
    ["no after one that failed", [events.live(), events.failed(null)], 0],
    ["no while a service is not reachable", [pending], 0],
    ["no after content that was rejected", [events.live(), events.rejected()], 0],
    ["no after a way back", [events.live(), events.rolledBack(BAD, LIVE)], 0],
    ["no after content that is in quarantine", [events.recovered(LIVE), events.quarantined(BAD)], 0],
    [
      "no where an older one is told again and the newest is in quarantine",
      [events.rolledBack(BAD, LIVE), remind],
      0,
    ],
    [
      "no where an older one is told again and the newest was rejected",
      [events.live(), events.rejected(), remind],
      0,
    ],
    [
      "yes once good content came after it was rejected",
      [events.rejected(), events.accepted(), events.live()],
      1,
    ],
    ["not changed by one that was interrupted", [events.live(), interrupted], 1],
    [
      "not known after a new start of the engine",
      [events.failed(null), { type: "engine.started" }],
      undefined,
    ],
    ["not known of a bundle that is removed", [events.live(), events.deleted(true)], undefined],
    [
      "not known of a bundle that is deleted and never was on disk",
      [events.rejected(), events.deleted(false)],
      undefined,
    ],
    ["still known of a bundle that is deleted and kept", [events.live(), events.deleted(false)], 1],
    ["not known of a bundle that is not for this node", [events.rejected(), events.excluded], undefined],
  ] as readonly (readonly [string, readonly DaemonEvent[], number | undefined])[]) {
    it(`is ${what}`, async () => {
      const { value } = await afterEvents(...list);
      assert.equal(value("keyturn_last_reload_successful", { bundle: "inference" }), expected);
    });
  }
});

describe("a bundle that is gone", () => {
  const OF_A_BUNDLE = [
    "keyturn_bundle_info",
    "tls_cert_not_after_seconds",
    "tls_cert_not_before_seconds",
    "keyturn_last_reload_success_timestamp_seconds",
    "keyturn_last_reload_successful",
    "keyturn_reloads_total",
    "keyturn_reload_duration_seconds_count",
    "keyturn_rejections_total",
    "keyturn_rollbacks_total",
    "keyturn_drift_total",
    "keyturn_legacy_keys_total",
    "keyturn_served_matches",
    "keyturn_quarantined",
    "keyturn_certificate_expiring",
  ];
  const ALL_OF_IT = [
    ...[events.rejected(), events.started(LIVE), events.looked(), events.live(), events.drifted()],
    ...[events.goingBack(BAD, LIVE), events.legacyKey, events.expiring(1_000)],
  ];
  for (const [what, event] of [
    ["removed", events.deleted(true)],
    ["not for this node", events.excluded],
  ] as const) {
    it(`because it is ${what} leaves no series behind`, async () => {
      const { names } = await afterEvents(...ALL_OF_IT, event, events.looked("wrong_cert"));
      assert.deepEqual(
        OF_A_BUNDLE.filter((name) => names.includes(name)),
        [],
      );
    });
  }

  it("leaves the series of another one alone", async () => {
    const other = { ...events.drifted(), bundle: nameOf("other") } as DaemonEvent;
    const { value } = await afterEvents(...ALL_OF_IT, other, events.deleted(true));
    assert.equal(value("keyturn_drift_total", { bundle: "other" }), 1);
  });

  it("in etcd only keeps its series: its certificate is still served, and expires", async () => {
    const { names } = await afterEvents(...ALL_OF_IT, events.deleted(false));
    assert.deepEqual(
      OF_A_BUNDLE.filter((name) => !names.includes(name)),
      [],
    );
  });
});

describe("what went wrong with a bundle", () => {
  it("is counted: ways back by who decided, drift, and keys in a legacy form", async () => {
    const { value } = await afterEvents(
      ...[events.goingBack(BAD, LIVE), events.goingBack(BAD, LIVE), events.goingBack(BAD, LIVE, "operator")],
      ...[events.drifted(), events.drifted("ENOSPC"), events.legacyKey],
    );
    const bundle = "inference";
    assert.deepEqual(
      [
        value("keyturn_rollbacks_total", { bundle, reason: "service" }),
        value("keyturn_rollbacks_total", { bundle, reason: "operator" }),
        value("keyturn_drift_total", { bundle }),
        value("keyturn_legacy_keys_total", { bundle }),
      ],
      [2, 1, 2, 1],
    );
  });
});

describe("whether a service serves what is current", () => {
  it("is what was last seen, for each service", async () => {
    const { value } = await afterEvents(
      ...[events.recovered(LIVE), events.looked("wrong_cert"), events.looked()],
      events.looked("timeout", "triton"),
    );
    const matches = (service: string) => value("keyturn_served_matches", { service, bundle: "inference" });
    assert.deepEqual([matches("vllm"), matches("triton")], [1, 0]);
  });

  it("is not known after a new start of the engine", async () => {
    const { names } = await afterEvents(events.recovered(LIVE), events.looked(), { type: "engine.started" });
    assert.equal(names.includes("keyturn_served_matches"), false);
  });
});

describe("whether a bundle is in quarantine", () => {
  const NEWER = generationOf("inference", "live", 3);
  for (const [what, list, expected] of [
    ["no where all is well", [events.live()], 0],
    ["yes after a way back", [events.started(BAD), events.rolledBack(BAD, LIVE)], 1],
    ["yes where content comes that was rolled back", [events.recovered(LIVE), events.quarantined(BAD)], 1],
    ["yes while a service is told again", [events.rolledBack(BAD, LIVE), remind], 1],
    ["no once the earlier content is put again", [events.rolledBack(BAD, LIVE), events.unchanged()], 0],
    ["no once other content is good", [events.rolledBack(BAD, LIVE), events.accepted(NEWER)], 0],
    [
      "no once newer content that came during the way back is reloaded",
      [events.started(BAD), events.accepted(NEWER), events.rolledBack(BAD, LIVE), events.started(NEWER)],
      0,
    ],
    ["no once it is tried again", [events.rolledBack(BAD, LIVE), events.started(BAD, "retried")], 0],
    [
      "not known of a bundle that is removed",
      [events.rolledBack(BAD, LIVE), events.deleted(true)],
      undefined,
    ],
  ] as readonly (readonly [string, readonly DaemonEvent[], number | undefined])[]) {
    it(`is ${what}`, async () => {
      const { value } = await afterEvents(...list);
      assert.equal(value("keyturn_quarantined", { bundle: "inference" }), expected);
    });
  }
});

describe("an expiring certificate", () => {
  it("has one series: the threshold it passed last", async () => {
    const { all } = await afterEvents(
      ...[events.live(), events.expiring(5 * 86_400_000, "7d"), events.expiring(3_600_000, "1d")],
    );
    const found = all.filter(({ name }) => name === "keyturn_certificate_expiring");
    assert.deepEqual(
      found.map(({ labels }) => labels),
      [{ bundle: "inference", threshold: "1d" }],
    );
  });

  for (const [threshold, labels] of [
    ["1d", [{ bundle: "inference", threshold: "1d" }]],
    [null, []],
  ] as const) {
    it(`has what is so once a clock was put right: ${threshold}`, async () => {
      const { all } = await afterEvents(events.live(), events.expiring(-1, "0s"), events.standing(threshold));
      const found = all.filter(({ name }) => name === "keyturn_certificate_expiring");
      assert.deepEqual(
        found.map((series) => series.labels),
        labels,
      );
    });
  }

  it("has none any more once another certificate is current", async () => {
    const renewed = generationOf("inference", "live", 2);
    const leaf = renewed.leaf && { ...renewed.leaf, fingerprint256: "CC:DD" };
    const { names } = await afterEvents(
      ...[events.live(), events.expiring(1_000), events.live({ ...renewed, leaf })],
    );
    assert.equal(names.includes("keyturn_certificate_expiring"), false);
  });
});

describe("labels of meta.json", () => {
  const other = generationOf("other", "live");
  const otherLive = { ...events.live(other), bundle: nameOf("other") } as DaemonEvent;

  it("are labels of keyturn_bundle_info", async () => {
    const { infos } = await afterEvents(events.live(), events.labelled({ model_version: "3.1" }));
    assert.equal(infos()[0]?.model_version, "3.1");
  });

  it("may differ from bundle to bundle", async () => {
    const { infos } = await afterEvents(
      ...[events.live(), otherLive],
      ...[events.labelled({ model_version: "3.1" }), events.labelled({ tier: "gold" }, "other")],
    );
    assert.deepEqual(
      infos().map(({ bundle, model_version, tier }) => [bundle, model_version, tier]),
      [
        ["inference", "3.1", undefined],
        ["other", undefined, "gold"],
      ],
    );
  });

  it("are left out beyond 64 names in all, of which the first stay", async () => {
    const of = (bundle: number) =>
      events.labelled({ shared: "x", [`own_${bundle}`]: "x" }, `bundle-${bundle}`);
    const others = Array.from({ length: 100 }, (_, at) => of(at));
    const first = events.labelled({ model_version: "3.1" });
    const last = events.labelled({ shared: "y", late: "x" }, "other");

    const { infos } = await afterEvents(first, events.live(), otherLive, ...others, last);

    const { bundle: _, digest: __, generation: ___, ...labels } = infos()[0] ?? {};
    assert.deepEqual(labels, { model_version: "3.1" });
    assert.equal(infos()[1]?.shared, "y");
    assert.equal(infos()[1]?.late, undefined);
  });

  it("may change, and leave nothing of the old ones", async () => {
    const { infos } = await afterEvents(
      ...[events.live(), events.labelled({ a: "1", b: "2" }), events.labelled({ b: "3", c: "4" })],
    );
    const { bundle: _, digest, generation, ...labels } = infos()[0] ?? {};
    assert.deepEqual([digest, generation, labels], [LIVE.digest, LIVE.id, { b: "3", c: "4" }]);
  });

  it("may be any text", async () => {
    const value = 'quoted "text"\\ and\na line';
    const { infos } = await afterEvents(events.live(), events.labelled({ constructor: value }));
    assert.equal(infos()[0]?.constructor, value);
  });
});
