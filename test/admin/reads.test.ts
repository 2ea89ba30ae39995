import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startAdminServer } from "../../src/admin/server.ts";
import { IDLE, NOTHING_KNOWN, useAdmin } from "../support/admin.ts";

describe("the admin server", () => {
  it("is healthy as long as it answers", async (t) => {
    const admin = await useAdmin(t, {
      status: () => ({ ...NOTHING_KNOWN, ready: false, notReady: ["etcd was not read yet"] }),
    });
    const { status, body } = await admin.ask("GET", "/healthz");
    assert.deepEqual([status, body], [200, "ok\n"]);
  });

  it("says that the node is ready", async (t) => {
    const { status, body } = await (await useAdmin(t)).ask("GET", "/readyz");
    assert.deepEqual([status, JSON.parse(body)], [200, { ready: true, notReady: [] }]);
  });

  it("says why the node is not ready", async (t) => {
    const notReady = ["etcd was not read yet", "bundle a is not live (failed)"];
    const admin = await useAdmin(t, { status: () => ({ ...NOTHING_KNOWN, ready: false, notReady }) });
    const { status, body } = await admin.ask("GET", "/readyz");
    assert.deepEqual([status, JSON.parse(body)], [503, { ready: false, notReady }]);
  });

  it("gives the metrics with their content type", async (t) => {
    const { status, headers, body } = await (await useAdmin(t)).ask("GET", "/metrics");
    assert.deepEqual(
      [status, headers["content-type"], body],
      [200, "text/plain; version=0.0.4", "keyturn_queue_depth 0\n"],
    );
  });

  it("gives the whole status as JSON", async (t) => {
    const whole = NOTHING_KNOWN;
    const { headers, body } = await (await useAdmin(t, { status: () => whole })).ask("GET", "/status");
    assert.deepEqual([headers["content-type"], JSON.parse(body)], ["application/json; charset=utf-8", whole]);
  });

  it("passes over a query", async (t) => {
    assert.equal((await (await useAdmin(t)).ask("GET", "/healthz?verbose=1")).status, 200);
  });

  it("takes the address of the request's target in full, as RFC 9112 asks", async (t) => {
    const admin = await useAdmin(t);
    assert.equal((await admin.ask("GET", `${admin.url}/healthz`)).status, 200);
  });

  it("answers HEAD as GET, without the body", async (t) => {
    const admin = await useAdmin(t);
    const [get, head] = [await admin.ask("GET", "/readyz"), await admin.ask("HEAD", "/readyz")];
    assert.deepEqual(
      [head.status, head.headers["content-length"], head.body],
      [200, String(get.body.length), ""],
    );
  });

  it("lets nothing be cached", async (t) => {
    assert.equal((await (await useAdmin(t)).ask("GET", "/readyz")).headers["cache-control"], "no-store");
  });

  for (const path of ["/nothing", "/metrics/", "/-/", "//", "//healthz", "/%", "/constructor", "*"]) {
    it(`has no ${path}`, async (t) => {
      assert.equal((await (await useAdmin(t)).ask("GET", path)).status, 404);
    });
  }

  for (const [method, path, allow] of [
    ["POST", "/metrics", "GET, HEAD"],
    ["PUT", "/status", "GET, HEAD"],
    ["DELETE", "/healthz", "GET, HEAD"],
    ["GET", "/-/reload", "POST"],
    ["PUT", "/-/resync", "POST"],
  ] as const) {
    it(`does not allow ${method} ${path}, and says what it allows`, async (t) => {
      const { status, headers } = await (await useAdmin(t)).ask(method, path);
      assert.deepEqual([status, headers.allow], [405, allow]);
    });
  }

  it("survives a part of it that fails, and tells of it", async (t) => {
    const thrown: unknown[] = [];
    const admin = await useAdmin(t, {
      metrics: () => Promise.reject(new Error("broken")),
      onError: (error) => thrown.push(error),
    });
    const { status, body } = await admin.ask("GET", "/metrics");
    assert.deepEqual([status, JSON.parse(body)], [500, { error: { code: "INTERNAL", message: "broken" } }]);
    assert.deepEqual(thrown, [new Error("broken")]);
    assert.equal((await admin.ask("GET", "/healthz")).status, 200);
  });

  it("tells nothing of what is asked for in vain: that is no trouble", async (t) => {
    const thrown: unknown[] = [];
    const admin = await useAdmin(t, { onError: (error) => thrown.push(error) });
    assert.equal((await admin.ask("GET", "/bundles/nothing/history")).status, 404);
    assert.deepEqual(thrown, []);
  });

  it("survives an answer that cannot be sent: it ends the connection and tells of it", async (t) => {
    const thrown: unknown[] = [];
    const admin = await useAdmin(t, {
      metrics: async () => ({ contentType: "text/plain\n", text: "" }),
      onError: (error) => thrown.push(error),
    });
    await assert.rejects(admin.ask("GET", "/metrics"), { code: "ECONNRESET" });
    assert.match(String(thrown), /Invalid character in header/);
    assert.equal((await admin.ask("GET", "/healthz")).status, 200);
  });
});

describe("an address to listen on", () => {
  it("that is taken is reported", async (t) => {
    const { url } = await useAdmin(t);
    const port = Number(new URL(url).port);
    await assert.rejects(useAdmin(t, { listen: { host: "127.0.0.1", port } }), {
      code: "ADMIN_UNAVAILABLE",
      message: `cannot listen on 127.0.0.1:${port} (admin.listen): it is taken; stop the other keyturn, or choose another port (--admin-listen)`,
    });
  });

  it("that is not this machine's is reported", async (t) => {
    // 192.0.2.0/24 is for documentation (RFC 5737).
    await assert.rejects(useAdmin(t, { listen: { host: "192.0.2.1", port: 0 } }), {
      code: "ADMIN_UNAVAILABLE",
    });
  });

  it("is free again once the server is closed", async (t) => {
    const first = await startAdminServer(IDLE);
    await first.close();
    const port = Number(new URL(first.url).port);
    assert.equal((await useAdmin(t, { listen: { host: "127.0.0.1", port } })).url, first.url);
  });
});
