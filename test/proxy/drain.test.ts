import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect as connectPlain } from "node:net";
import { describe, it } from "node:test";
import { useHttpClient } from "../support/http-clients.ts";
import { allOf, HTTP, useHttpTarget, useProxy, useTarget } from "../support/proxy-stand.ts";
import { until } from "../support/wait.ts";

const LONG_MS = 60_000;

describe("a proxy that drains", () => {
  it("takes no new connections, and lets bytes come to their end", async (t) => {
    const port = await useTarget(t, (socket) => socket.pipe(socket));
    const { proxy, connect, log } = await useProxy(t, port);
    const client = await connect();

    const drained = proxy.drain(LONG_MS);
    const refused = connectPlain(proxy.port, "127.0.0.1");
    await assert.rejects(once(refused, "connect"), { code: "ECONNREFUSED" });
    client.end("to the end");

    assert.equal(String(await allOf(client)), "to the end");
    await drained;
    assert.equal(log.at(-1)?.cut, 0);
  });

  it("cuts what is left when the time is over", async (t) => {
    const port = await useTarget(t, (socket) => void socket.resume());
    const { proxy, connect, log } = await useProxy(t, port);
    const client = await connect();

    await proxy.drain(50);

    await until("it is cut", () => client.readableEnded || client.closed || client.resume() === undefined);
    assert.equal(log.at(-1)?.cut, 1);
  });

  for (const version of ["HTTP/1.1", "HTTP/2"] as const) {
    it(`finishes streams of ${version}, answers what is still on its way, and then closes`, async (t) => {
      let stream: ServerResponse | undefined;
      const target = await useHttpTarget(t, ({ url }, response) => {
        if (url !== "/stream") return void response.end("quick");
        response.write("begun ");
        stream = response;
      });
      const { proxy, bundle, log } = await useProxy(t, target, { mode: HTTP });
      const peer = { port: proxy.port, ca: bundle.root.pem };
      const [streaming, asking] = [useHttpClient(t, version, peer), useHttpClient(t, version, peer)];
      const begun = streaming.begin({ path: "/stream" });
      begun.body.end();
      const { body } = await begun.answered;
      await asking.ask({});

      const drained = proxy.drain(LONG_MS);
      if (version === "HTTP/1.1") {
        const { headers, text } = await asking.ask({});
        assert.deepEqual([headers.connection, text], ["close", "quick"]);
      }
      stream?.end("to the end");

      assert.equal(String(await allOf(body)), "begun to the end");
      await drained;
      assert.equal(log.at(-1)?.cut, 0);
    });

    it(`closes connections of ${version} that bring nothing more`, async (t) => {
      const target = await useHttpTarget(t, (_, response) => void response.end());
      const { proxy, bundle, log } = await useProxy(t, target, { mode: HTTP });
      await useHttpClient(t, version, { port: proxy.port, ca: bundle.root.pem }).ask({});

      await proxy.drain(LONG_MS);

      assert.equal(log.at(-1)?.cut, 0);
    });
  }
});

describe("readiness of a proxy", () => {
  it("says whether the target takes connections, and health does not ask", async (t) => {
    const port = await useTarget(t, (socket) => void socket.resume());
    const [good, bad] = [await useProxy(t, port), await useProxy(t, 1)];
    const status = async (stand: typeof good, path: string) =>
      (await fetch(`${stand.proxy.metricsUrl}${path}`)).status;

    assert.deepEqual([await status(good, "/readyz"), await status(good, "/healthz")], [200, 200]);
    assert.deepEqual([await status(bad, "/readyz"), await status(bad, "/healthz")], [503, 200]);
    assert.equal(await status(good, "/"), 404);
  });
});
