/** How the page keeps itself up to date, over everything that happens to the daemon. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { until } from "../../support/wait.ts";
import { openPage, useBrowserForAll } from "./browser.ts";
import { useStand } from "./stand.ts";

const browser = useBrowserForAll();

async function setUp(t: TestContext, names: readonly string[], query = "") {
  const stand = await useStand(t);
  const put = (name: string, value = stand.bundle(name).whole) => stand.etcd.put(`/certs/${name}.pem`, value);
  for (const name of names) await put(name);
  for (const name of names) await stand.daemon.untilLive(name);
  const watched = await openPage(t, browser(), stand.daemon.adminUrl + query, {
    viewport: { width: 1280, height: 700 },
  });
  await watched.page.waitForSelector("body.live");
  return { ...stand, stand, ...watched, put };
}

describe("the open page", () => {
  it("shows a put, a rejection, a new bundle and one that is gone, by itself", async (t) => {
    const { page, put, etcd, daemon, complaints, requests } = await setUp(t, ["chat", "speech"]);
    const before = await page.textContent("#bundle-chat .content code");
    await put("chat");
    await until("the new digest is shown", async () => {
      const now = await page.textContent("#bundle-chat .content code");
      return now !== before && (await daemon.bundle("chat"))?.generation?.digest.includes(now ?? "-");
    });
    await put("chat", "garbage");
    await page.waitForSelector("#bundle-chat.attention .why:has-text('PEM_MISSING')");
    assert.match(await page.title(), /^ready/);
    await page.waitForSelector("#said:has-text('chat: rejected')", { state: "attached" });
    await put("vision");
    await page.waitForSelector("#bundle-vision.well");
    assert.deepEqual(await page.locator("#list h3").allTextContents(), ["chat", "speech", "vision"]);
    await etcd.ctl(["del", "/certs/chat.pem"]);
    await page.waitForSelector("#bundle-chat.gone");
    assert.deepEqual(await page.locator("#list h3").allTextContents(), ["speech", "vision", "chat"]);
    assert.deepEqual(complaints, []);
    for (const url of requests) assert.equal(new URL(url).origin, daemon.adminUrl);
  });

  it("leaves its reader where they are: what is open, has the focus, is typed and is looked at", async (t) => {
    const names = Array.from({ length: 30 }, (_, at) => `model-${String(at).padStart(2, "0")}`);
    const { page, put } = await setUp(t, names);
    const at = (name: string) =>
      page.evaluate(`document.getElementById("bundle-${name}").getBoundingClientRect().top`);
    await page.click("#bundle-model-15 summary");
    await page.locator("#bundle-model-15 .wide").first().focus();
    await page.evaluate("scrollTo(0, document.getElementById('bundle-model-15').offsetTop - 100)");
    const before = await at("model-15");
    // What is read changes, and what is below it goes to the top of the list.
    await put("model-15");
    await put("model-20", "garbage");
    await page.waitForSelector("#bundle-model-20.attention");
    await page.waitForSelector(
      "#bundle-model-15 .details :text('since keyturn started') + .wide tr:nth-child(2)",
    );
    assert.equal(await page.locator("#list h3").first().textContent(), "model-20");
    assert.equal(await page.locator("#bundle-model-15 details").getAttribute("open"), "");
    assert.equal(
      await page.evaluate("document.activeElement === document.querySelector('#bundle-model-15 .wide')"),
      true,
    );
    assert.ok(Math.abs(Number(await at("model-15")) - Number(before)) <= 1);

    await page.fill("#query", "model-2");
    await put("model-21", "garbage");
    await page.waitForSelector("#bundle-model-21.attention");
    assert.equal(await page.inputValue("#query"), "model-2");
    assert.equal(await page.locator("#list > li:not([hidden])").count(), 10);
  });

  it("keeps the focus on a row that moves to the top", async (t) => {
    const { page, put } = await setUp(t, ["alpha", "beta", "gamma"]);
    await page.locator("#bundle-gamma summary").focus();
    await put("gamma", "garbage");
    await page.waitForSelector("#list > li:first-child#bundle-gamma");
    assert.equal(await page.evaluate("document.activeElement.closest('li').id"), "bundle-gamma");
  });

  it("says that the daemon is gone and since when, and goes on when it is back", async (t) => {
    const { page, put, stand } = await setUp(t, ["chat"]);
    await stand.daemon.stop();
    await page.waitForSelector("body.lost");
    assert.match((await page.textContent("#link")) ?? "", /^No link to keyturn since \d\d:\d\d:\d\d UTC/);
    await put("speech");
    await stand.restart();
    await page.waitForSelector("body.live:not(.lost)");
    await page.waitForSelector("#bundle-speech.well");
    assert.equal(await page.textContent("#link"), "Live");
    await put("chat", "garbage");
    await page.waitForSelector("#bundle-chat.attention");
  });

  it("does not keep the daemon from stopping", async (t) => {
    const { daemon } = await setUp(t, ["chat"]);
    assert.equal(await daemon.stop(), 0);
  });

  it("shows text of others as text, and does nothing that is in it", async (t) => {
    const evil = `"'><img src=x onerror="document.title='broken'">`;
    const { page, stand, etcd, put, complaints } = await setUp(t, ["chat"]);
    await etcd.put("/certs/chat/meta.json", JSON.stringify({ labels: { model: evil } }));
    await put("chat", stand.bundle("chat", { names: [evil] }).whole);
    await put(evil.replace(/[^a-z]/g, ""), `-----BEGIN ${evil}-----\n`);
    await etcd.put(`/certs/${evil}`, evil);
    await page.waitForSelector(`#bundle-chat .label:has-text("onerror")`);
    await page.click("#bundle-chat summary");
    await page.waitForSelector(`#bundle-chat dd:has-text("onerror=")`);
    assert.equal(await page.locator("img").count(), 0);
    await page.reload();
    await page.waitForSelector("body.live");
    assert.equal(await page.locator("img").count(), 0);
    assert.doesNotMatch(await page.title(), /broken/);
    assert.deepEqual(complaints, []);
  });
});
