/** The page of a node with a thousand bundles. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TestEtcd } from "../../support/etcd.ts";
import { until } from "../../support/wait.ts";
import { openPage, useBrowserForAll } from "./browser.ts";
import { useStand } from "./stand.ts";

const browser = useBrowserForAll();

const BUNDLES = 1_000;
const MANY = 300;
/** etcd takes 128 operations in one transaction. */
const AT_ONCE = 100;

describe("a node with a thousand bundles", () => {
  it("has a page that opens, stays live, finds and opens each, and costs one update what one bundle costs", async (t) => {
    const { etcd, daemon, bundle } = await useStand(t, { concurrency: 16 });
    const names = Array.from({ length: BUNDLES }, (_, at) => `model-${String(at).padStart(4, "0")}`);
    const { whole } = bundle("model");
    await putAll(etcd, names, whole);
    await until(
      "all are live",
      async () => (await daemon.status()).ready && (await daemon.status()).bundles.length === BUNDLES,
      120_000,
    );

    const { page, complaints } = await openPage(t, browser(), daemon.adminUrl);
    await page.waitForSelector("body.live");
    assert.equal(await page.locator("#list > li").count(), BUNDLES);
    t.diagnostic(
      `it opened in ${await page.evaluate("Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd)")} ms`,
    );

    const stream = await page.context().newCDPSession(page);
    await stream.send("Network.enable");
    let [events, bytes] = [0, 0];
    stream.on("Network.eventSourceMessageReceived", ({ eventName, data }) => {
      if (eventName !== "update") return;
      events++;
      bytes += data.length;
    });
    await etcd.put("/certs/model-0777.pem", "garbage");
    await page.waitForSelector("#list > li:first-child#bundle-model-0777.attention");
    assert.ok(bytes < 60_000, `${bytes} bytes in ${events} updates for one bundle`);

    await page.fill("#query", "0100");
    assert.equal(await page.locator("#list > li:not([hidden])").count(), 1);
    await page.click("#bundle-model-0100 summary");
    await page.waitForSelector("#bundle-model-0100 h4:has-text('Generations on disk')");
    await page.fill("#query", "");

    // Very many change at once: far fewer messages than changes.
    events = 0;
    const some = names.slice(0, MANY);
    const next = bundle("model");
    await putAll(etcd, some, next.whole);
    const isNew = page.locator("#list .content .small", { hasText: "000002-" });
    await until("all of them are shown", async () => (await isNew.count()) === MANY, 120_000);
    assert.ok(events < MANY / 2, `${events} updates`);
    // What was opened still is, and its details are those of now.
    await page.waitForSelector(
      `#bundle-model-0100 details[open] dd:has-text("${next.leaf.serial.toString("hex").toUpperCase()}")`,
    );
    assert.deepEqual(complaints, []);
  });
});

async function putAll(etcd: TestEtcd, names: readonly string[], value: string): Promise<void> {
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE);
    await etcd.putTogether(Object.fromEntries(some.map((name) => [`/certs/${name}.pem`, value])));
  }
}
