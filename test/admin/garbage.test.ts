/** What is no request, or none that anybody should make of the admin server. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useAdmin, writeToken } from "../support/admin.ts";
import { exchange, useRawClient } from "../support/raw-client.ts";
import { until } from "../support/wait.ts";

const GET = "GET /healthz HTTP/1.1\r\n";
const HOST = "host: localhost\r\n";
const RELOAD = `POST /-/reload HTTP/1.1\r\n${HOST}authorization: Bearer open sesame\r\n`;

describe("what is no request", () => {
  for (const [what, sent, status] of [
    ["another protocol", "EHLO inference.local\r\n\r\n", 400],
    ["the hello of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["zeros", "\0".repeat(10_000), 400],
    ["a request to nobody", `${GET}\r\n`, 400],
    ["two lengths", `${RELOAD}content-length: 1\r\ncontent-length: 2\r\n\r\n12`, 400],
    ["a length and chunks", `${RELOAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ["a length that is none", `${RELOAD}content-length: -1\r\n\r\n`, 400],
    ["a line end in the middle of a header", `${GET}${HOST}x: a\nb\r\n\r\n`, 400],
    ["a header without a name", `${GET}${HOST}: a\r\n\r\n`, 400],
    ["a path without end", `GET /${"a".repeat(1 << 20)}`, 431],
    ["a header without end", `${GET}${HOST}x: ${"a".repeat(1 << 20)}`, 431],
    ["headers without end", `${GET}${HOST}${"x: a\r\n".repeat(100_000)}`, 431],
    ["garbage after a request", `${GET}${HOST}\r\n\x16\x03\x01 garbage\r\n\r\n`, 400],
  ] as const) {
    it(`is answered ${status}, the connection closed, and the server goes on: ${what}`, async (t) => {
      let reloads = 0;
      const file = await writeToken(t);
      const reload = async () => void reloads++;
      const admin = await useAdmin(t, { tokenFile: () => file, reload });
      assert.equal((await exchange(t, admin.url, sent)).slice(0, 13), `HTTP/1.1 ${status} `);
      assert.equal(reloads, 0);
      assert.equal((await admin.ask("GET", "/healthz")).status, 200);
    });
  }
});

describe("a request that nobody should make", () => {
  for (const [method, path, status] of [
    ["TRACE", "/healthz", 405],
    ["TRACE", "/-/reload", 405],
    ["OPTIONS", "*", 404],
    ["PROPFIND", "/", 405],
    ["POST", "/-/bundles/../../etc/passwd/rollback", 404],
    ["POST", "/-/bundles/..%2f..%2fetc/rollback", 404],
    ["POST", "/-/bundles/__proto__/retry", 404],
    ["POST", "/-/bundles/inference%00/retry", 404],
    ["POST", "/-/bundles/inference/__proto__", 404],
    ["POST", "/-/../-/reload", 404],
    ["GET", "/bundles/../status/history", 404],
    ["GET", "/bundles/constructor/history", 404],
    ["GET", "/bundles/hasOwnProperty/history", 404],
    ["GET", "/metrics/../-/reload", 404],
    ["GET", "/%2e%2e/%2e%2e/etc/passwd", 404],
    ["GET", "//other.local/healthz", 404],
  ] as const) {
    it(`is answered ${status}, and tells nothing of where that was decided: ${method} ${path}`, async (t) => {
      const file = await writeToken(t);
      const admin = await useAdmin(t, { tokenFile: () => file });
      const { status: got, body } = await admin.ask(method, path, { authorization: "Bearer open sesame" });
      assert.equal(got, status);
      assert.doesNotMatch(body, /\.[jt]s:\d|node:|\n +at |sesame/);
    });
  }

  it("is not carried on to another server", async (t) => {
    const { url } = await useAdmin(t);
    const answer = await exchange(
      t,
      url,
      `CONNECT other.local:443 HTTP/1.1\r\nhost: other.local:443\r\n\r\n`,
    );
    assert.doesNotMatch(answer, /^HTTP\/1\.1 2/);
  });

  it("is answered as it would be otherwise where it asks for another protocol", async (t) => {
    const { url } = await useAdmin(t);
    const client = await useRawClient(t, url);
    client.received();
    client.socket.write(`${GET}${HOST}connection: upgrade\r\nupgrade: websocket\r\n\r\n`);
    await until("it is answered", () => client.received().startsWith("HTTP/1.1 200 OK"));
  });
});
