import assert from "node:assert/strict";
import { hostname } from "node:os";
import { describe, it } from "node:test";
import { checkOrigin } from "../../src/admin/origin.ts";
import { useAdmin, writeToken } from "../support/admin.ts";

const RIGHT = { authorization: "Bearer open sesame" };

describe("a request that changes something", () => {
  for (const path of [
    "/-/reload",
    "/-/resync",
    "/-/bundles/inference/rollback",
    "/-/bundles/inference/retry",
  ]) {
    for (const [what, headers] of [
      ["by a page of another site", { origin: "https://evil.example" }],
      ["by a page of another service of this machine", { origin: "http://127.0.0.1:3000" }],
      ["by a page that hides where it is from", { origin: "null" }],
      ["to a name that was made to point here", { host: "evil.example" }],
    ] as readonly (readonly [string, Record<string, string>])[]) {
      it(`is refused on ${path} ${what}, with the token too`, async (t) => {
        const calls: string[] = [];
        const call = (name: string) => () => {
          calls.push(name);
          throw new Error("it was called");
        };
        const [reload, resync] = [call("reload"), call("resync")];
        const [rollback, retry] = [call("rollback"), call("retry")];
        const file = await writeToken(t);
        const admin = await useAdmin(t, { reload, resync, rollback, retry, tokenFile: () => file });

        const { status, body } = await admin.ask("POST", path, { ...RIGHT, ...headers });

        assert.deepEqual([status, JSON.parse(body).error.code, calls], [403, "FORBIDDEN", []]);
      });
    }
  }

  it("is done where it comes from a page of the server itself", async (t) => {
    const file = await writeToken(t);
    const admin = await useAdmin(t, { tokenFile: () => file });
    assert.equal((await admin.ask("POST", "/-/resync", { ...RIGHT, origin: admin.url })).status, 202);
  });

  it("is refused by the name in its target, which counts for more than the Host header", async (t) => {
    const file = await writeToken(t);
    const admin = await useAdmin(t, { tokenFile: () => file });
    assert.equal((await admin.ask("POST", "http://evil.example/-/resync", RIGHT)).status, 403);
  });
});

describe("a request that reads", () => {
  it("is answered whatever its Host and Origin: it tells nothing secret", async (t) => {
    const headers = { host: "keyturn.internal", origin: "https://dashboards.example" };
    assert.equal((await (await useAdmin(t)).ask("GET", "/status", headers)).status, 200);
  });
});

describe("the host of a request", () => {
  for (const [host, listen, isOwn] of [
    ["127.0.0.1:9464", "127.0.0.1", true],
    ["127.0.0.1", "127.0.0.1", true],
    ["127.8.8.8:9464", "0.0.0.0", true],
    ["localhost:9464", "127.0.0.1", true],
    ["LOCALHOST:9464", "127.0.0.1", true],
    ["localhost.:9464", "127.0.0.1", true],
    ["[::1]:9464", "::1", true],
    ["[::1]", "127.0.0.1", true],
    [`${hostname()}:9464`, "0.0.0.0", true],
    ["node.internal:9464", "node.internal", true],
    ["[fd00::1]:9464", "fd00::1", true],
    ["node.internal:9464", "127.0.0.1", false],
    ["127.0.0.1.evil.example", "127.0.0.1", false],
    ["localhost.evil.example:9464", "127.0.0.1", false],
    ["evil.example", "127.0.0.1", false],
    ["[::2]:9464", "127.0.0.1", false],
    ["", "127.0.0.1", false],
    [undefined, "127.0.0.1", false],
  ] as const) {
    it(`is ${isOwn ? "" : "not "}this machine's where it is ${host} and ${listen} is listened on`, () => {
      const headers = host === undefined ? {} : { host };
      assert.equal(checkOrigin({ url: "/-/resync", headers }, listen)?.status, isOwn ? undefined : 403);
    });
  }
});
