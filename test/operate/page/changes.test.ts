/** Rolling back and trying again from the page, by hand and with the keyboard. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { until } from "../../support/wait.ts";
import { violationsOf } from "./axe.ts";
import { openPage, useBrowserForAll } from "./browser.ts";
import { TOKEN, useStand } from "./stand.ts";

const browser = useBrowserForAll();

async function setUp(t: TestContext, hasToken = true) {
  const stand = await useStand(t, { hasToken });
  const { daemon, etcd, bundle } = stand;
  const generations: string[] = [];
  for (const { whole } of [bundle("chat"), bundle("chat"), bundle("chat")]) {
    await etcd.put("/certs/chat.pem", whole);
    const live = await until("it is live", async () => {
      const now = await daemon.bundle("chat");
      return now?.state === "live" && now.generation && !generations.includes(now.generation.id)
        ? now
        : undefined;
    });
    generations.push(live.generation?.id ?? "");
  }
  const watched = await openPage(t, browser(), daemon.adminUrl);
  await watched.page.waitForSelector("body.live");
  const current = async () => (await daemon.bundle("chat"))?.generation?.id;
  return { ...stand, ...watched, generations, current };
}

describe("the buttons of the page", () => {
  it("come with the right token only, which is kept nowhere", async (t) => {
    const { page, requests } = await setUp(t);
    await page.click("#bundle-chat summary");
    const button = page.getByRole("button", { name: "Roll back …" });
    assert.equal(await button.isVisible(), false);
    await page.fill("#token-text", "open barley");
    await page.click("#token button");
    await page.waitForSelector("#token-answer:has-text('the token is not the one of admin.tokenFile')");
    assert.equal(await button.isVisible(), false);
    await page.fill("#token-text", TOKEN);
    await page.press("#token-text", "Enter");
    await button.waitFor();
    const kept = await page.evaluate(
      "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])",
    );
    assert.equal(kept, '[{},{},""]');
    assert.equal(await page.locator("#token-text").inputValue(), "");
    for (const url of requests) assert.doesNotMatch(decodeURIComponent(url), /sesame/);

    await page.click("#forget");
    assert.equal(await button.isVisible(), false);
    await page.fill("#token-text", TOKEN);
    await page.press("#token-text", "Enter");
    await button.waitFor();
    await page.reload();
    await page.waitForSelector("body.live");
    await page.click("#bundle-chat summary");
    assert.equal(await button.isVisible(), false);
  });

  it("roll back once that is confirmed, to what is chosen, and try again; each answer is shown", async (t) => {
    const { page, generations, current, complaints } = await setUp(t);
    const [first, second, third] = generations;
    await page.fill("#token-text", TOKEN);
    await page.press("#token-text", "Enter");
    await page.click("#bundle-chat summary");
    const rollBack = page.getByRole("button", { name: "Roll back …" });
    await rollBack.click();
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.equal(await current(), third);

    await rollBack.click();
    assert.deepEqual(await violationsOf(page), []);
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await page.waitForSelector(
      `.answer.good:has-text("${second} is current again, ${third} is in quarantine")`,
    );
    await page.waitForSelector("#bundle-chat.attention .badge:has-text('rolled back')");
    assert.equal(await current(), second);

    await rollBack.click();
    await page.selectOption("#confirm-to", first ?? "");
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await page.waitForSelector(`.answer.good:has-text("${first} is current again")`);
    assert.equal(await current(), first);

    await page.getByRole("button", { name: "Try what etcd holds again" }).click();
    await page.waitForSelector(".answer.good:has-text('Done: it is live')");
    await page.waitForSelector("#bundle-chat.well");
    assert.deepEqual(complaints, []);
  });

  it("do what is asked once, however often they are pressed, and whatever changes meanwhile", async (t) => {
    const { page, generations, current, requests, etcd } = await setUp(t);
    const asked = () => requests.filter((url) => url.endsWith("/rollback")).length;
    const press = "document.querySelector('#bundle-chat button[data-change=rollback]').click();";
    let goOn: () => void = () => undefined;
    await page.route("**/rollback", (route) => {
      goOn = () => void route.continue();
    });
    await page.fill("#token-text", TOKEN);
    await page.press("#token-text", "Enter");
    await page.click("#bundle-chat summary");
    await page.evaluate(press + press);
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await until("it is asked for", () => asked() > 0);
    // The row is made anew.
    await etcd.put("/certs/chat/meta.json", '{"labels": {"owner": "ml"}}');
    await page.waitForSelector("#bundle-chat:has-text('owner=ml')");
    const button = page.locator("#bundle-chat button[data-change=rollback]");
    assert.equal(await button.getAttribute("aria-disabled"), "true");
    await page.evaluate(press);
    goOn();
    await page.waitForSelector(".answer.good");
    assert.deepEqual([asked(), await current()], [1, generations[1]]);
    assert.equal(await page.locator("dialog[open]").count(), 0);
    assert.equal(await button.getAttribute("aria-disabled"), null);
  });

  it("say what is wrong where it cannot be done", async (t) => {
    const { page, refused, etcd, bundle } = await setUp(t);
    refused.add("chat");
    await etcd.put("/certs/chat.pem", bundle("chat").whole);
    await page.waitForSelector("#bundle-chat .badge:has-text('rolled back')");
    await page.fill("#token-text", TOKEN);
    await page.press("#token-text", "Enter");
    await page.click("#bundle-chat summary");
    await page.getByRole("button", { name: "Try what etcd holds again" }).click();
    await page.waitForSelector(".answer.bad:has-text('Not done (rolledBack): engine answered 422')");
  });

  it("can be reached and used with the keyboard alone", async (t) => {
    const { page, generations, current } = await setUp(t);
    const tabTo = async (what: string) => {
      await until(`the focus is on ${what}`, async () => {
        await page.keyboard.press("Tab");
        return page.evaluate(`document.activeElement.matches(${JSON.stringify(what)})`);
      });
      const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
      assert.notEqual(outline, "none", what);
    };
    await tabTo(".skip");
    await page.keyboard.press("Enter");
    await tabTo("#query");
    await tabTo("#bundle-chat summary");
    await page.keyboard.press("Enter");
    await tabTo("#token-text");
    await page.keyboard.type(TOKEN);
    await page.keyboard.press("Enter");
    await page.waitForSelector("body.has-token");
    await tabTo("#bundle-chat button[data-change=rollback]");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog:not([open])", { state: "attached" });
    assert.equal(await page.evaluate("document.activeElement.dataset.change"), "rollback");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog[open]");
    await tabTo("dialog .danger");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".answer.good");
    assert.equal(await current(), generations[1]);
  });

  it("are not there where no token is configured, and the page says why", async (t) => {
    const { page } = await setUp(t, false);
    await page.click("#bundle-chat summary");
    assert.equal(await page.locator("#token, dialog").count(), 0);
    assert.equal(await page.locator("button:visible").count(), 0);
    assert.match((await page.textContent("#changes")) ?? "", /admin\.tokenFile is not set/);
  });
});
