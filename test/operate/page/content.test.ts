/** What the page shows of a real node on which nearly everything that can be wrong is wrong. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { violationsOf } from "./axe.ts";
import { openPage, useBrowserForAll } from "./browser.ts";
import { scopeOfFile } from "./file-scope.ts";
import { useFleet } from "./fleet.ts";
import type { Stand } from "./stand.ts";

const browser = useBrowserForAll();
const scope = scopeOfFile();
let stand: Stand;

before(async () => {
  stand = await useFleet(scope);
});

/** What is to be seen of each bundle, in its row or below it. */
const SEEN: Readonly<Record<string, readonly RegExp[]>> = {
  batch: [/^pending/, /batch-runner cannot be reached/, /tried again/],
  translate: [/^waiting\s+overdue/, /nothing on disk/, /KEY_MISSING/],
  embeddings: [/^live\s+expiring/, /2 days left/, /less than 7d is left/],
  moderation: [/^rejected/, /CERTIFICATE_EXPIRED.*expired at/, /KEY_MISMATCH.*put the key of the leaf/],
  reranker: [
    /^rolled back/,
    /does nothing: engine answered 422/,
    /rolledBack.*\(in quarantine\)/s,
    /notifyBack\.1/,
  ],
  chat: [
    /^live/,
    /model_version=3\.3-70b/,
    /1 of 1 service/,
    /edge\s+matches as chat/,
    /sha256:[0-9a-f]{64}/,
  ],
  "mesh-trust": [/^live/, /trust bundle/],
};

describe("the status page of a node", () => {
  for (const javaScriptEnabled of [true, false]) {
    it(`shows each bundle with what is wrong with it, with scripts ${javaScriptEnabled ? "on" : "off"}`, async (t) => {
      const { page, complaints, requests } = await openPage(t, browser(), stand.daemon.adminUrl, {
        javaScriptEnabled,
      });
      const link = page.locator("#link");
      await link.filter({ hasText: javaScriptEnabled ? "Live" : "As it was at" }).waitFor();
      assert.equal(await page.textContent("h1"), "gpu-017");
      assert.equal(await page.textContent(".verdict"), "not ready");
      assert.match((await page.textContent(".alarm")) ?? "", /batch is not live.*translate is not live/s);
      assert.match((await page.textContent("#services")) ?? "", /engine.*edge.*not yet.*batch-runner/s);
      await assertSeen(page);
      assert.deepEqual(complaints, []);
      for (const url of requests) assert.equal(new URL(url).origin, stand.daemon.adminUrl);
    });
  }

  it("lists what is broken first", async (t) => {
    const { page } = await openPage(t, browser(), stand.daemon.adminUrl);
    const names = await page.locator("#list h3").allTextContents();
    assert.deepEqual(names.slice(0, 5), ["translate", "batch", "embeddings", "moderation", "reranker"]);
    assert.deepEqual(names.slice(5), ["chat", "mesh-trust", "speech", "vision"]);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`has nothing in it that keeps anybody out: axe-core, ${colorScheme}, everything open`, async (t) => {
      const { page } = await openPage(t, browser(), stand.daemon.adminUrl, { colorScheme });
      await page.waitForSelector("body.live");
      for (const summary of await page.locator("summary").all()) await summary.click();
      assert.deepEqual(await violationsOf(page), []);
    });
  }

  it("does not scroll sideways on a phone", async (t) => {
    const { page } = await openPage(t, browser(), stand.daemon.adminUrl, {
      viewport: { width: 360, height: 740 },
    });
    for (const summary of await page.locator("summary").all()) await summary.click();
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
    assert.deepEqual(await violationsOf(page), []);
  });
});

const FOUND = {
  rerank: ["reranker"],
  rejected: ["moderation"],
  "*.chat.gpu": ["chat"],
  "inference_type=image": ["vision"],
  "edge live": ["chat"],
  "no such thing": [],
};

describe("the search of the page", () => {
  const found = "#list > li:not([hidden]) h3";

  it("finds by name, DNS name, state, label and service while it is typed", async (t) => {
    const { page } = await openPage(t, browser(), stand.daemon.adminUrl);
    await page.focus("#query");
    for (const [query, names] of Object.entries(FOUND)) {
      await page.keyboard.press("Control+A");
      await page.keyboard.type(query);
      assert.deepEqual(await page.locator(found).allTextContents(), names, query);
      assert.equal(await page.textContent("#found"), `${names.length} of 9`);
    }
  });

  it("finds the same without scripts", async (t) => {
    const { page } = await openPage(t, browser(), stand.daemon.adminUrl, { javaScriptEnabled: false });
    for (const [query, names] of Object.entries(FOUND)) {
      await page.fill("#query", query);
      await page.click("#search button");
      await page.waitForURL((url) => url.searchParams.get("q") === query);
      assert.deepEqual(await page.locator(found).allTextContents(), names, query);
      assert.equal(await page.textContent("#found"), `${names.length} of 9`);
    }
  });

  it("by digest finds the bundle that has it", async (t) => {
    const digest = (await stand.daemon.bundle("speech"))?.generation?.digest ?? "";
    const { page } = await openPage(t, browser(), `${stand.daemon.adminUrl}/?q=${digest.slice(0, 30)}`);
    assert.deepEqual(await page.locator(found).allTextContents(), ["speech"]);
  });

  it("is what a click on a count does", async (t) => {
    const { page } = await openPage(t, browser(), stand.daemon.adminUrl);
    await page.click("#counts a:has-text('rolled back')");
    assert.deepEqual(await page.locator(found).allTextContents(), ["reranker"]);
    assert.match(page.url(), /\?q=rolled%20back$/);
  });
});

/** Opens every bundle and reads it. */
async function assertSeen(page: Page): Promise<void> {
  for (const [name, patterns] of Object.entries(SEEN)) {
    const row = page.locator(`#bundle-${name}`);
    await row.locator("summary").click();
    await row.locator(".details").waitFor({ state: "visible" });
    const text = ((await row.textContent()) ?? "").replace(/\s+/g, " ").trim();
    for (const pattern of patterns) assert.match(text, pattern, name);
  }
}
