import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { useAdmin, writeToken } from "../support/admin.ts";
import { notificationOf, useDesk } from "../support/alerts.ts";

const RIGHT = { authorization: "Bearer open sesame" };
const PATH = "/-/alerts";
const BODY = JSON.stringify(notificationOf({}));

async function setUp(t: TestContext) {
  const file = await writeToken(t);
  const { desk, acted } = useDesk();
  const { ask } = await useAdmin(t, { tokenFile: () => file, alerts: async (body) => desk.take(body) });
  return { ask, acted };
}

describe("a notification of Alertmanager", () => {
  it("is answered with what is done about each alert", async (t) => {
    const { ask, acted } = await setUp(t);
    const { status, body } = await ask("POST", PATH, RIGHT, BODY);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body).alerts, [
      {
        alert: "ModelErrors",
        bundle: "inference",
        action: "rollback",
        result: "begun",
        why: "it is being done: the log and the status say how it ends",
      },
    ]);
    assert.equal(acted.length, 1);
  });

  it("may have hundreds of alerts", async (t) => {
    const { ask } = await setUp(t);
    const many = Array.from({ length: 300 }, (_, at) => ({
      labels: { bundle: `bundle-${at}` },
      fingerprint: `f${at}`,
    }));
    const { status, body } = await ask("POST", PATH, RIGHT, JSON.stringify(notificationOf(...many)));
    const results: string[] = JSON.parse(body).alerts.map(({ result }: { result: string }) => result);
    assert.deepEqual([status, results.length], [200, 300]);
    // However many bundles it is about: the limit of the node holds.
    assert.equal(results.filter((result) => result === "begun").length, 10);
  });

  for (const [what, method, headers, expected] of [
    ["without a token", "POST", {}, 401],
    ["with another token", "POST", { authorization: "Bearer open barley" }, 401],
    ["from a web page", "POST", { ...RIGHT, origin: "https://evil.example" }, 403],
    ["to a name that is not this machine's", "POST", { ...RIGHT, host: "evil.example" }, 403],
    ["by GET", "GET", RIGHT, 405],
  ] as readonly (readonly [string, string, Record<string, string>, number])[]) {
    it(`is refused ${what}`, async (t) => {
      const { ask, acted } = await setUp(t);
      const { status } = await ask(method, PATH, headers, method === "GET" ? "" : BODY);
      assert.deepEqual([status, acted], [expected, []]);
    });
  }

  for (const [what, body] of [
    ["what is not JSON", "alerts=1"],
    ["nothing", ""],
    ["a list", `[${BODY}]`],
    ["lists in lists without end", "[".repeat(100_000)],
    ["objects in objects without end", '{"alerts":'.repeat(20_000)],
    ["lists in lists that do end", `{"version": "4", "alerts": ${"[".repeat(20_000)}${"]".repeat(20_000)}}`],
    ["another version", BODY.replace('"4"', '"5"')],
    ["bytes that are no text", "\u0000\uffff{"],
    ["a prototype", '{"__proto__": {"version": "4", "alerts": []}}'],
  ] as const) {
    it(`is refused with ${what}, and the server goes on`, async (t) => {
      const { ask, acted } = await setUp(t);
      const answer = await ask("POST", PATH, RIGHT, body);
      assert.deepEqual(
        [answer.status, JSON.parse(answer.body).error.code, acted],
        [400, "REQUEST_INVALID", []],
      );
      assert.equal((await ask("GET", "/healthz")).status, 200);
    });
  }

  for (const [what, headers] of [
    ["that says how long it is", { "content-length": "300000" }],
    ["in chunks", { "transfer-encoding": "chunked" }],
  ] as readonly (readonly [string, Record<string, string>])[]) {
    it(`is refused with more than 256 KiB ${what}`, async (t) => {
      const { ask, acted } = await setUp(t);
      const answer = await ask("POST", PATH, { ...RIGHT, ...headers }, BODY.padEnd(300_000));
      assert.deepEqual(
        [answer.status, JSON.parse(answer.body).error.code, acted],
        [413, "REQUEST_TOO_LARGE", []],
      );
    });
  }
});
