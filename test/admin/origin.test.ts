import assert from "node:assert/strict";
import { hostname } from "node:os";
import { describe, it } from "node:test";
import { checkHost, checkOrigin } from "../../src/admin/origin.ts";
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

describe("a request that reads what is shown of this node", () => {
  for (const path of [
    "/",
    "/status",
    "/events",
    "/page/page.js",
    "/page/bundles/inference",
    "/bundles/inference/history",
  ]) {
    for (const method of ["GET", "HEAD"]) {
      it(`is refused to a name that was made to point here, and says what to ask: ${method} ${path}`, async (t) => {
        const { ask } = await useAdmin(t);
        const { status, body } = await ask(method, path, { host: "evil.example:9464" });
        assert.equal(status, 403);
        if (method === "HEAD") return;
        const { code, message } = JSON.parse(body).error;
        assert.equal(code, "FORBIDDEN");
        assert.match(message, /"evil\.example:9464" .*127\.0\.0\.1.*gpu-017.*set node/);
      });
    }
  }

  for (const path of ["/metrics", "/healthz", "/readyz"]) {
    it(`is answered to any name where Prometheus and probes ask: ${path}`, async (t) => {
      const { ask } = await useAdmin(t);
      assert.equal((await ask("GET", path, { host: "keyturn.monitoring.svc:9464" })).status, 200);
    });
  }

  it("is answered whatever its Origin: a page of another cannot read the answer", async (t) => {
    const { ask } = await useAdmin(t);
    const { status, headers } = await ask("GET", "/status", { origin: "https://dashboards.example" });
    assert.deepEqual([status, headers["access-control-allow-origin"]], [200, undefined]);
  });
});

describe("the host of a request", () => {
  const short = hostname().split(".")[0];
  for (const [host, listen, mayRead, mayChange] of [
    ["127.0.0.1:9464", "127.0.0.1", true, true],
    ["127.0.0.1", "127.0.0.1", true, true],
    ["127.8.8.8:9464", "0.0.0.0", true, true],
    ["localhost:9464", "127.0.0.1", true, true],
    ["LOCALHOST:9464", "127.0.0.1", true, true],
    ["localhost.:9464", "127.0.0.1", true, true],
    ["[::1]:9464", "::1", true, true],
    ["[::1]", "127.0.0.1", true, true],
    [`${hostname()}:9464`, "0.0.0.0", true, true],
    [`${short}:9464`, "127.0.0.1", true, true],
    ["gpu-017.cluster.example:9464", "0.0.0.0", true, true],
    ["GPU-017.cluster.example", "127.0.0.1", true, true],
    ["node.internal:9464", "node.internal", true, true],
    // An address cannot be made to point elsewhere.
    ["10.0.0.7:9464", "0.0.0.0", true, true],
    ["10.0.0.7:9464", "127.0.0.1", true, true],
    ["[fd00::1]:9464", "fd00::1", true, true],
    ["[fd00::2]:9464", "127.0.0.1", true, true],
    // Nobody can register a name without a dot: such as that of a service of Compose.
    ["keyturn:9464", "0.0.0.0", true, false],
    ["keyturn:9464", "::", true, false],
    ["keyturn:9464", "127.0.0.1", false, false],
    ["keyturn:9464", "localhost", false, false],
    ["keyturn:9464", "::1", false, false],
    ["node.internal:9464", "127.0.0.1", false, false],
    ["node.internal:9464", "0.0.0.0", false, false],
    ["127.0.0.1.evil.example", "127.0.0.1", false, false],
    ["127.0.0.1@evil.example", "0.0.0.0", false, false],
    ["localhost.evil.example:9464", "127.0.0.1", false, false],
    [`${short}.evil.example:9464`, "0.0.0.0", false, false],
    ["evil.example", "0.0.0.0", false, false],
    ["[::1].evil.example", "0.0.0.0", false, false],
    ["[evil.example]", "0.0.0.0", false, false],
    ["10.0.0.7.", "127.0.0.1", true, true],
    ["", "0.0.0.0", false, false],
    [undefined, "0.0.0.0", false, false],
  ] as const) {
    it(`${host} ${mayRead ? "may" : "may not"} read, ${mayChange ? "may" : "may not"} change where ${listen} is listened on`, () => {
      const headers = host === undefined ? {} : { host };
      const here = { node: "gpu-017.cluster.example", listen: { host: listen } };
      const request = { url: "/status", headers };
      assert.deepEqual(
        [checkHost(request, here)?.reason, checkOrigin(request, here)?.reason],
        [mayRead ? undefined : "foreign_host", mayChange ? undefined : "foreign_host"],
      );
    });
  }

  it("is shown shortened where it is refused", () => {
    const request = { url: "/status", headers: { host: `${"a".repeat(10_000)}.example` } };
    const refusal = checkHost(request, { node: "gpu-017", listen: { host: "127.0.0.1" } });
    assert.ok((refusal?.error.message.length ?? 0) < 600);
  });
});
