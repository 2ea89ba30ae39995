import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import * as events from "../support/events.ts";
import { nameOf } from "../support/material.ts";
import { afterEvents } from "../support/metrics.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");

describe("whether the last reload was successful", () => {
  const pending = events.finished({ kind: "pending", generation: LIVE, message: "" }, 1);
  const interrupted = events.finished({ kind: "interrupted" });
  for (const [what, list, expected] of [
    ["yes after one that ended live", [events.live()], 1],
    ["yes after content that is live already", [events.unchanged()], 1],
    ["no after one that failed", [events.live(), events.failed(null)], 0],
    ["no while a service is not reachable", [pending], 0],
    ["no after content that was rejected", [events.live(), events.rejected()], 0],
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
  ];
  for (const [what, event] of [
    ["removed", events.deleted(true)],
    ["not for this node", events.excluded],
  ] as const) {
    it(`because it is ${what} leaves no gauges behind`, async () => {
      const { names } = await afterEvents(events.live(), event);
      assert.deepEqual(
        OF_A_BUNDLE.filter((name) => names.includes(name)),
        [],
      );
    });
  }

  it("in etcd only keeps its gauges: its certificate is still served, and expires", async () => {
    const { names } = await afterEvents(events.live(), events.deleted(false));
    assert.deepEqual(
      OF_A_BUNDLE.filter((name) => !names.includes(name)),
      [],
    );
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
