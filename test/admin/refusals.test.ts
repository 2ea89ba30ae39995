/** Requests that are refused are counted and told of, so that nobody guesses a token unseen. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { AdminOptions } from "../../src/admin/options.ts";
import type { DaemonEvent } from "../../src/core/events.ts";
import { useAdmin, writeToken } from "../support/admin.ts";

const RIGHT = { authorization: "Bearer open sesame" };
const WRONG = { authorization: "Bearer open barley" };

describe("a request that is refused", () => {
  for (const [what, method, path, headers, reason] of [
    ["without a token", "POST", "/-/reload", {}, "no_token"],
    ["with another scheme", "POST", "/-/reload", { authorization: "Basic b3Blbg==" }, "no_token"],
    ["with another token", "POST", "/-/reload", WRONG, "wrong_token"],
    ["that asks whether a token is right", "POST", "/-/token", WRONG, "wrong_token"],
    ["of Alertmanager", "POST", "/-/alerts", WRONG, "wrong_token"],
    ["about a bundle", "POST", "/-/bundles/inference/retry", WRONG, "wrong_token"],
    ["by a page of another site", "POST", "/-/resync", { origin: "https://evil.example" }, "foreign_origin"],
    ["to a foreign name", "POST", "/-/resync", { ...RIGHT, host: "evil.example" }, "foreign_host"],
    ["to a foreign name, to read", "GET", "/status", { host: "evil.example" }, "foreign_host"],
    ["to a foreign name, for the page", "GET", "/", { host: "evil.example" }, "foreign_host"],
    [
      "by a page of another, to listen",
      "GET",
      "/events",
      { origin: "http://evil.example" },
      "foreign_origin",
    ],
    [
      "by a site of another, to listen",
      "GET",
      "/events",
      { "sec-fetch-site": "cross-site" },
      "foreign_origin",
    ],
  ] as readonly (readonly [string, string, string, Record<string, string>, string])[]) {
    it(`is told of by its reason: ${what}`, async (t) => {
      const { ask, refusals } = await setUp(t);
      await ask(method, path, headers);
      assert.deepEqual(
        refusals.map((event) => [event.reason, event.request, event.from, event.times]),
        [[reason, `${method} ${path}`, "127.0.0.1", 1]],
      );
    });
  }

  it("is told of where there is no token to compare with", async (t) => {
    const { ask, refusals } = await setUp(t, { tokenFile: () => undefined });
    await ask("POST", "/-/reload", WRONG);
    assert.deepEqual(
      refusals.map(({ reason }) => reason),
      ["no_token_file"],
    );
  });

  it("is told of each time, and to be said once in a minute for each reason, with how often since", async (t) => {
    const { ask, refusals } = await setUp(t);
    for (const headers of [WRONG, WRONG, {}, WRONG]) await ask("POST", "/-/reload", headers);
    assert.deepEqual(
      refusals.map(({ reason, times }) => [reason, times]),
      [
        ["wrong_token", 1],
        ["wrong_token", null],
        ["no_token", 1],
        ["wrong_token", null],
      ],
    );
  });

  it("is told of without the token or any part of it, given or right, wherever it stands", async (t) => {
    const { ask, refusals } = await setUp(t);
    await ask("POST", "/-/reload?token=barley", WRONG);
    await ask("POST", "/-/reload?token=barley#sesame", {});
    assert.equal(refusals.length, 2);
    assert.doesNotMatch(JSON.stringify(refusals), /barley|sesame|open/);
  });

  it("is none where it is done, is not known, or is asked in the wrong way", async (t) => {
    const { ask, refusals } = await setUp(t);
    await ask("POST", "/-/reload", RIGHT);
    await ask("POST", "/-/bundles/inference/rollback", RIGHT, "[]");
    await ask("GET", "/nothing", { host: "evil.example" });
    await ask("GET", "/");
    assert.deepEqual(refusals, []);
  });
});

type Refused = Extract<DaemonEvent, { readonly type: "admin.refused" }>;

async function setUp(t: TestContext, options: Partial<AdminOptions> = {}) {
  const file = await writeToken(t);
  const refusals: Refused[] = [];
  const report = (event: DaemonEvent) => {
    assert.equal(event.type, "admin.refused");
    refusals.push(event as Refused);
  };
  const { ask } = await useAdmin(t, { tokenFile: () => file, report, ...options });
  return { ask, refusals };
}
