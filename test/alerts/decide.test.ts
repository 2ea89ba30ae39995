import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type BundleFacts, type Decision, decide } from "../../src/alerts/decide.ts";
import { readNotification } from "../../src/alerts/notification.ts";
import { PastActions } from "../../src/alerts/past-actions.ts";
import type { AlertRule, AlertSettings } from "../../src/alerts/rule.ts";
import { NOW, notificationOf, ROTATED, type SentAlert, settingsOf } from "../support/alerts.ts";
import { nameOf } from "../support/material.ts";

const MINUTE_MS = 60_000;

interface Case {
  readonly alert?: SentAlert;
  readonly rule?: Partial<AlertRule>;
  readonly settings?: Partial<AlertSettings>;
  readonly facts?: Partial<BundleFacts> | null;
  readonly past?: PastActions;
  readonly atMs?: number;
}

function decideOn({
  alert = {},
  rule,
  settings,
  facts = {},
  past = new PastActions(),
  atMs = 0,
}: Case): Decision {
  const read = readNotification(notificationOf(alert));
  const [first] = read.ok ? read.alerts : [];
  assert.ok(first);
  return decide(first, {
    settings: settingsOf(rule, settings),
    factsOf: () => (facts === null ? undefined : { ...ROTATED, ...facts }),
    past,
    now: NOW,
    monotonicMs: atMs,
  });
}

const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * MINUTE_MS);
/** Actions on `inference` at these times. */
function pastOf(...timesMs: readonly number[]): PastActions {
  const past = new PastActions();
  for (const atMs of timesMs) {
    past.begin(`alert of ${atMs}`, nameOf("inference"), atMs);
    past.end(nameOf("inference"));
  }
  return past;
}

describe("an alert has the bundle rolled back", () => {
  for (const [what, one] of [
    ["where it is about this node and the bundle was rotated lately", {}],
    ["where its instance has no port", { alert: { labels: { instance: "gpu-017" } } }],
    [
      "where a label node says so, whatever its instance is",
      { alert: { labels: { node: "gpu-017", instance: "x:1" } } },
    ],
    [
      "where the node has another name there, which the configuration gives",
      { alert: { labels: { instance: "10.0.0.7:9464" } }, settings: { nodeNames: ["10.0.0.7"] } },
    ],
    ["where the rule is about such bundles", { rule: { bundles: ["api", "infer*"] } }],
    ["where the alert began with the rotation", { facts: { rotatedAt: minutesAgo(5) } }],
    ["where content of before is in quarantine", { facts: { setAsideBy: "operator" } }],
    ["where the cooldown is over", { past: pastOf(0), atMs: 10 * MINUTE_MS }],
    ["where the last of the most is long ago", { past: pastOf(0, 1, 2), atMs: 62 * MINUTE_MS }],
  ] as readonly (readonly [string, Case])[]) {
    it(what, () => {
      assert.deepEqual(decideOn(one), { kind: "act", action: "rollback", bundle: "inference" });
    });
  }
});

describe("an alert is ignored", () => {
  for (const [what, one, why] of [
    ["that is resolved", { alert: { status: "resolved" } }, /resolved/],
    ["that no rule is about", { alert: { labels: { alertname: "Other" } } }, /no rule/],
    [
      "whose name only begins as in a rule",
      { alert: { labels: { alertname: "ModelErrorsToo" } } },
      /no rule/,
    ],
    ["where there is no rule at all, which is the default", { settings: { rules: [] } }, /no rule/],
    ["that names no bundle", { alert: { labels: { bundle: "" } } }, /names no bundle/],
    [
      "that names what no bundle can be called",
      { alert: { labels: { bundle: "../etc" } } },
      /names no bundle/,
    ],
    [
      "about a bundle that the rule is not for",
      { rule: { bundles: ["api-*"] } },
      /lets it do anything to inference/,
    ],
    ["about a bundle that is not here", { facts: null }, /no bundle inference here/],
    ["about another node", { alert: { labels: { instance: "gpu-018:9464" } } }, /another node/],
    [
      "about a node whose name only begins so",
      { alert: { labels: { instance: "gpu-017b:9464" } } },
      /another node/,
    ],
    [
      "whose label node says another, whatever its instance is",
      { alert: { labels: { node: "gpu-018" } } },
      /its node is "gpu-018"/,
    ],
    ["that names no node", { settings: { nodeLabels: ["host"] } }, /names no node/],
    [
      "that had it done already",
      {
        past: (() => {
          const past = new PastActions();
          const read = readNotification(notificationOf({}));
          past.begin((read.ok && read.alerts[0]?.identity) || "", nameOf("inference"), -1e9);
          return past;
        })(),
      },
      /again/,
    ],
  ] as readonly (readonly [string, Case, RegExp])[]) {
    it(what, () => {
      const decision = decideOn(one);
      assert.equal(decision.kind, "ignored");
      assert.match(decision.kind === "ignored" ? decision.why : "", why);
    });
  }

  it("that names no node, unless its rule takes it for any", () => {
    const settings = { nodeLabels: ["host"] };
    assert.equal(decideOn({ settings, rule: { anyNode: true } }).kind, "act");
  });

  it("about another node, even by a rule for any", () => {
    const alert = { labels: { node: "gpu-018" } };
    assert.equal(decideOn({ alert, rule: { anyNode: true } }).kind, "ignored");
  });
});

describe("a rollback does not suit a bundle", () => {
  for (const [what, facts, why] of [
    [
      "that was rotated long ago: old content is not the cause",
      { rotatedAt: minutesAgo(61) },
      /too long ago/,
    ],
    ["that was rotated after the alert began", { rotatedAt: minutesAgo(4) }, /before the rotation/],
    ["that went back already", { wasPutBack: true }, /went back already/],
    ["that newer content is on its way to", { isTurning: true }, /newer content/],
    ["of which nothing is live", { rotatedAt: null }, /nothing of it/],
    ["whose earlier generation has expired", { earlierUntil: minutesAgo(1) }, /go back to has expired/],
  ] as readonly (readonly [string, Partial<BundleFacts>, RegExp])[]) {
    it(what, () => {
      const decision = decideOn({ facts });
      assert.equal(decision.kind === "held" && decision.result, "unsuitable");
      assert.match(decision.kind === "held" ? decision.why : "", why);
    });
  }
});

describe("a retry", () => {
  for (const [what, facts] of [
    ["suits a bundle that was rotated long ago", { rotatedAt: minutesAgo(10_000) }],
    ["suits a bundle of which nothing is live", { rotatedAt: null }],
    ["suits content that a service did not take", { setAsideBy: "service", wasPutBack: true }],
  ] as readonly (readonly [string, Partial<BundleFacts>])[]) {
    it(what, () => {
      assert.deepEqual(decideOn({ facts, rule: { do: "retry" } }), {
        kind: "act",
        action: "retry",
        bundle: "inference",
      });
    });
  }

  for (const setAsideBy of ["operator", "alert"] as const) {
    it(`does not bring back what an ${setAsideBy} set aside`, () => {
      const decision = decideOn({ facts: { setAsideBy }, rule: { do: "retry" } });
      assert.equal(decision.kind === "held" && decision.result, "unsuitable");
    });
  }
});

describe("a limit holds an action back", () => {
  const underWay = new PastActions();
  underWay.begin("another", nameOf("inference"), 0);
  const ofOthers = new PastActions();
  for (let at = 0; at < 10; at++) ofOthers.begin(`alert ${at}`, nameOf(`bundle-${at}`), at);
  for (const [what, one, why] of [
    ["while another is under way", { past: underWay, atMs: 30 * MINUTE_MS }, /under way/],
    ["during the cooldown", { past: pastOf(0), atMs: 10 * MINUTE_MS - 1 }, /cooldown is 600 s/],
    [
      "where there were the most already",
      { past: pastOf(1, 2, 3), atMs: 60 * MINUTE_MS },
      /3 actions on it in 3600 s/,
    ],
    [
      "where other bundles of the node had the most",
      { past: ofOthers, atMs: MINUTE_MS },
      /10 actions on this node/,
    ],
  ] as readonly (readonly [string, Case, RegExp])[]) {
    it(what, () => {
      const decision = decideOn(one);
      assert.equal(decision.kind === "held" && decision.result, "limited");
      assert.match(decision.kind === "held" ? decision.why : "", why);
    });
  }

  it("however alerts come, over any span of time", () => {
    const alerts = fc.array(
      fc.record({
        bundle: fc.integer({ min: 0, max: 3 }),
        waitMs: fc.integer({ min: 0, max: 20 * MINUTE_MS }),
      }),
      { maxLength: 60 },
    );
    const limits = fc.record({
      atMost: fc.integer({ min: 1, max: 4 }),
      cooldown: fc.integer({ min: 0, max: 15 * MINUTE_MS }),
    });
    fc.assert(
      fc.property(alerts, limits, fc.integer({ min: 1, max: 6 }), (list, rule, ofNode) => {
        const past = new PastActions();
        const done: { readonly bundle: string; readonly atMs: number }[] = [];
        let atMs = 0;
        for (const [at, { bundle: number, waitMs }] of list.entries()) {
          atMs += waitMs;
          const bundle = nameOf(`bundle-${number}`);
          const alert = { labels: { bundle }, fingerprint: `f${at}` };
          const settings = { ...settingsOf(rule), atMost: ofNode };
          if (decideOn({ alert, rule, settings: { atMost: settings.atMost }, past, atMs }).kind !== "act")
            continue;
          past.begin(`f${at}`, bundle, atMs);
          past.end(bundle);
          done.push({ bundle, atMs });
        }
        for (const [at, one] of done.entries()) {
          const hourBefore = done.slice(0, at + 1).filter((other) => other.atMs > one.atMs - 60 * MINUTE_MS);
          const same = hourBefore.filter(({ bundle }) => bundle === one.bundle);
          assert.ok(hourBefore.length <= ofNode && same.length <= rule.atMost);
          const before = same.at(-2);
          assert.ok(before === undefined || one.atMs - before.atMs >= rule.cooldown);
        }
      }),
    );
  });
});
