import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { Generation } from "../../src/core/generation.ts";
import type { Status } from "../../src/observe/status.ts";
import { type PageView, pageDocument } from "../../src/page/document.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";
import { nameOf } from "../support/material.ts";
import { generationOf } from "../support/notice.ts";

const NOW = new Date("2031-01-15T00:00:00.000Z");
const LIVE = generationOf("inference", "live");
const BAD = generationOf("inference", "current", 2);

describe("the page", () => {
  it("says why the node is not ready, and what is wrong with the link to etcd", () => {
    const page = pageOf(boardAfter(events.rejected(), events.disconnected));
    for (const text of [
      "etcd was not read yet",
      "bundle inference is not live (rejected)",
      "ETCD_UNAVAILABLE",
      "nobody answers",
    ]) {
      assert.ok(page.includes(text), text);
    }
  });

  it("has every reason of rejected content, with its code", () => {
    const second = { code: "CERTIFICATE_EXPIRED", message: "it expired yesterday" } as const;
    const page = pageOf(boardAfter(events.live(), events.rejected(events.KEY_MISMATCH, second)));
    for (const { code, message } of [events.KEY_MISMATCH, second]) {
      assert.ok(page.includes(`<li><code>${code}</code> <span class="message">${message}</span></li>`), code);
    }
  });

  it("has what was rolled back, why, how long each step took, and when it is tried again", () => {
    const list = [
      events.recovered(LIVE),
      events.started(BAD),
      events.rolledBack(BAD, LIVE),
      events.failed(null),
    ];
    const page = pageOf(boardAfter(...list), {
      onDisk: () => ({ current: LIVE.id, generations: [LIVE, givenUp()] }),
    });
    for (const text of [
      "222222222222 does nothing: vllm serves another",
      "notify.1",
      "100 ms",
      "by service: vllm serves",
    ])
      assert.ok(page.includes(text), text);
    assert.match(page, /tried again <time datetime="2031-01-15T00:00:01.000Z">/);
  });

  it("has what each service serves, and those that were never looked at", () => {
    const services = [
      { name: "vllm", stage: 1, bundles: ["*"], notify: "http", verify: ["tls"] },
      { name: "triton", stage: 2, bundles: ["inf*"], notify: "none", verify: ["tls"] },
      { name: "other", stage: 2, bundles: ["chat"], notify: "none", verify: [] },
    ];
    const page = pageOf(
      boardAfter({ type: "engine.started", services }, events.live(), events.looked("wrong_cert")),
    );
    const served = page.slice(page.indexOf("<h4>Served"), page.indexOf("<h4>Last reload"));
    assert.match(served, /vllm.*wrong_cert.*vllm was looked at.*triton.*not looked at yet/s);
    assert.doesNotMatch(served, /other/);
  });

  it("lists the broken first, then by name", () => {
    const list = ["b", "a", "c"].map((name) => liveOf(name));
    const page = pageOf(boardAfter(...list, { ...events.rejected(), bundle: nameOf("c") } as DaemonEvent));
    assert.deepEqual(namesIn(page), ["c", "a", "b"]);
  });

  it("counts the bundles by state, the worst first", () => {
    const page = pageOf(boardAfter(liveOf("a"), liveOf("b"), events.rejected()));
    const counts = [...page.matchAll(/<b>(\d+)<\/b> ([a-z ]+)<\/a>/g)].map(([, amount, word]) => [
      amount,
      word,
    ]);
    assert.deepEqual(counts, [
      ["1", "rejected"],
      ["2", "live"],
    ]);
  });

  it("hides what a search leaves out, without any script", () => {
    const page = pageOf(boardAfter(liveOf("alpha"), liveOf("beta")), { query: "BET" });
    assert.match(page, /data-name="alpha"[^>]*hidden/);
    assert.doesNotMatch(page, /data-name="beta"[^>]*hidden/);
    assert.ok(page.includes("1 of 2"));
  });

  it("has the details of what is broken and of what is searched for, where there are very many bundles", () => {
    const list = Array.from({ length: 1_000 }, (_, at) => liveOf(`model-${at}`));
    const status = boardAfter(...list, events.rejected());
    const later = /data-later="([^"]*)"/g;
    assert.equal([...pageOf(status).matchAll(later)].length, 1_000);
    const found = [...pageOf(status, { query: "model-77" }).matchAll(later)].map(([, name]) => name);
    assert.equal(found.includes("model-77"), false);
    assert.equal(found.includes("model-776"), false);
    assert.equal(found.includes("model-8"), true);
  });
});

describe("the page, about changes,", () => {
  for (const [changes, has, lacks] of [
    ["withToken", /<form id="token"/, /is not set|for this machine itself/],
    ["noTokenFile", /<code>admin.tokenFile<\/code> is not set/, /<form id="token"|<dialog/],
    ["notLocal", /for this machine itself, over loopback/, /<form id="token"|<dialog/],
  ] as const) {
    it(`offers what there is, and says why not: ${changes}`, () => {
      const page = pageOf(boardAfter(events.live()), { changes });
      assert.match(page, has);
      assert.doesNotMatch(page, lacks);
    });
  }
});

describe("hostile text", () => {
  it("stays text, wherever it is shown", () => {
    const evil = `"'><img src=x onerror=alert(1)>\u202e`;
    const leaf = LIVE.leaf && { ...LIVE.leaf, subject: evil, issuer: evil, dnsNames: [evil], uris: [evil] };
    const services = [{ name: "vllm", stage: 1, bundles: [evil], notify: "http", verify: [] }];
    const status = boardAfter(
      ...[
        { type: "engine.started", services } as const,
        { ...events.connected, endpoint: evil } as DaemonEvent,
        { ...events.disconnected, message: evil } as DaemonEvent,
        events.live({ ...LIVE, leaf }),
        events.labelled({ model: evil }),
        { ...events.told("busy"), message: evil, service: evil } as DaemonEvent,
        { ...events.looked("wrong_cert"), message: evil, serverName: evil } as DaemonEvent,
        { ...events.drifted(evil), findings: [evil] } as DaemonEvent,
        events.finished({ kind: "failed", generation: null, message: evil }),
        { ...events.quarantined(BAD), why: evil } as DaemonEvent,
        events.rejected({ code: "KEY_MISMATCH", message: evil }),
      ],
    );
    const page = pageOf({ ...status, node: evil }, { query: evil });
    assert.ok(page.split("onerror=alert(1)").length > 10);
    assert.doesNotMatch(page, /<img|"'>|\u202e/);
  });
});

function pageOf(status: Status, view: Partial<PageView> = {}): string {
  const rest = { now: NOW, query: "", since: "x-1", changes: "withToken", onDisk: () => undefined } as const;
  return pageDocument({ status, ...rest, ...view });
}

function liveOf(name: string): DaemonEvent {
  return { ...events.live(generationOf(name, "live")), bundle: nameOf(name) } as DaemonEvent;
}

function givenUp(): Generation {
  return events.givenUp(BAD, LIVE);
}

function namesIn(page: string): (string | undefined)[] {
  return [...page.matchAll(/data-name="([^"]*)"\n/g)].map(([, name]) => name);
}
