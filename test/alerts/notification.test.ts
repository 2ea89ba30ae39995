import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readNotification } from "../../src/alerts/notification.ts";
import { notificationOf } from "../support/alerts.ts";

const GOOD = notificationOf({});
const [ALERT] = GOOD.alerts;
const withAlert = (change: object) => ({ ...GOOD, alerts: [{ ...ALERT, ...change }] });

describe("a notification of Alertmanager", () => {
  it("is read: name, labels, whether it fires and since when", () => {
    const read = readNotification(GOOD);
    const [alert] = read.ok ? read.alerts : [];
    assert.deepEqual(
      [alert?.name, alert?.isFiring, alert?.labels.get("bundle"), alert?.startsAt.toISOString()],
      ["ModelErrors", true, "inference", "2031-01-15T11:55:00.000Z"],
    );
  });

  it("may say more than is known today", () => {
    const more = { ...withAlert({ silenceURL: "http://x/", values: { A: 1 } }), notificationReason: "new" };
    assert.equal(readNotification(more).ok, true);
  });

  it("may have times with nanoseconds and an offset", () => {
    const read = readNotification(withAlert({ startsAt: "2031-01-15T13:52:26.739266876+02:00" }));
    assert.equal(read.ok && read.alerts[0]?.startsAt.toISOString(), "2031-01-15T11:52:26.739Z");
  });

  it("is another one when the same alert fires anew", () => {
    const [first, again, anew] = [GOOD, GOOD, withAlert({ startsAt: "2031-01-15T11:56:00Z" })].map((body) => {
      const read = readNotification(body);
      return read.ok ? read.alerts[0]?.identity : undefined;
    });
    assert.equal(first, again);
    assert.notEqual(first, anew);
  });

  for (const [what, body, why] of [
    ["nothing", undefined, /the body/],
    ["null", null, /the body/],
    ["a text", "firing", /the body/],
    ["a list", [GOOD], /the body/],
    ["another version", { ...GOOD, version: "5" }, /version: expected "4"/],
    ["a number as version", { ...GOOD, version: 4 }, /version/],
    ["no alerts", { version: "4" }, /alerts: expected a list/],
    ["alerts that are none", { ...GOOD, alerts: { 0: ALERT } }, /alerts: expected a list/],
    ["too many alerts", { ...GOOD, alerts: Array.from({ length: 1_001 }, () => ALERT) }, /at most 1000/],
    ["an alert that is null", { ...GOOD, alerts: [null] }, /alerts\.0/],
    ["a status of its own", withAlert({ status: "burning" }), /alerts\.0\.status/],
    ["a label that is a number", withAlert({ labels: { bundle: 7 } }), /alerts\.0\.labels\.bundle/],
    ["labels that are a list", withAlert({ labels: ["bundle"] }), /alerts\.0\.labels/],
    ["no time", withAlert({ startsAt: undefined }), /alerts\.0\.startsAt/],
    ["a time that is none", withAlert({ startsAt: "yesterday" }), /alerts\.0\.startsAt/],
    ["no fingerprint", withAlert({ fingerprint: "" }), /alerts\.0\.fingerprint/],
    ["a fingerprint without end", withAlert({ fingerprint: "f".repeat(10_000) }), /alerts\.0\.fingerprint/],
  ] as const) {
    it(`is none where it is ${what}, and it is said why`, () => {
      const read = readNotification(body);
      assert.match(read.ok ? "it was taken" : read.why, why);
    });
  }

  it("has no label that was not sent, whatever it is called", () => {
    const sent = JSON.parse('{"labels": {"__proto__": "x", "alertname": "A"}}') as { labels: object };
    const read = readNotification(withAlert(sent));
    const labels = read.ok ? read.alerts[0]?.labels : undefined;
    assert.deepEqual(
      [labels?.get("constructor"), labels?.get("toString"), labels?.get("alertname")],
      [undefined, undefined, "A"],
    );
  });

  it("never breaks the reader, whatever is sent", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (body, alert) => {
        for (const one of [
          body,
          { ...GOOD, alerts: body },
          { ...GOOD, alerts: [alert, { ...ALERT, labels: body }] },
        ])
          assert.equal(typeof readNotification(one).ok, "boolean");
      }),
    );
  });
});
