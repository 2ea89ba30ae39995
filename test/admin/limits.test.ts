/** Clients that take more of the admin server than it gives. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ReloadOutcome } from "../../src/core/outcome.ts";
import { useAdmin, writeToken } from "../support/admin.ts";
import { exchange, type RawClient, useRawClient } from "../support/raw-client.ts";
import { until } from "../support/wait.ts";

const HURRIED = { headersWithinMs: 200, requestWithinMs: 200, lookEveryMs: 20 };
const ROLLBACK = "POST /-/bundles/inference/rollback HTTP/1.1\r\nhost: localhost\r\n";
const WITH_TOKEN = `${ROLLBACK}authorization: Bearer open sesame\r\n`;
const GET_METRICS = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";

describe("a client of the admin server that takes its time", () => {
  for (const [what, begin, drop] of [
    ["never begins", "", ""],
    ["sends its headers drop by drop", "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ", "y"],
    ["sends its body drop by drop", `${WITH_TOKEN}content-length: 4000\r\n\r\n`, " "],
    ["sends a body without end", `${WITH_TOKEN}transfer-encoding: chunked\r\n\r\n`, "1\r\n \r\n"],
    ["sends a body that nobody asked for", `${GET_METRICS.slice(0, -2)}content-length: 4000\r\n\r\n`, " "],
  ] as const) {
    it(`is cut off where it ${what}`, async (t) => {
      const { url } = await useAdmin(t, { tokenFile: await tokenOf(t) }, HURRIED);
      const client = await useRawClient(t, url);
      client.received();
      client.socket.write(begin);
      await untilClosed(client, drop);
    });
  }

  it("is cut off where it does not take its answer", async (t) => {
    const { url } = await useAdmin(t, { metrics: async () => pageOf(64 << 20) }, { takeWithinMs: 200 });
    const client = await useRawClient(t, url);
    client.socket.write(GET_METRICS);
    // Between requests an empty line is passed over (RFC 9112 §2.2); a closed connection takes none.
    await untilClosed(client, "\r\n");
  });

  it("gets its answer, however long that takes to come about", async (t) => {
    const rollback = rollbackOf();
    const admin = await useAdmin(t, { tokenFile: await tokenOf(t), rollback: rollback.run }, HURRIED);
    const asked = await useRawClient(t, admin.url);
    asked.received();
    asked.socket.write(`${WITH_TOKEN}\r\n`);
    const end = await until("it has begun", rollback.end);
    // Longer than all the limits: who says nothing in the meantime is cut off.
    await exchange(t, admin.url, "");
    end();
    await until("it is answered", () => asked.received().startsWith("HTTP/1.1 409 "));
  });
});

describe("a client of the admin server that asks for much at once", () => {
  it("gets one answer after another: the next is not made before the last was taken", async (t) => {
    let [now, most, count] = [0, 0, 0];
    const metrics = async () => {
      most = Math.max(most, ++now);
      count++;
      await nextTurn();
      now--;
      return pageOf(64 << 10);
    };
    const { url } = await useAdmin(t, { metrics });
    const client = await useRawClient(t, url);
    client.received();
    client.socket.write(GET_METRICS.repeat(100));
    await until("all came", () => client.received().split("HTTP/1.1 200 ").length === 101);
    assert.deepEqual([count, most], [100, 1]);
  });

  it("costs one answer where it does not read", async (t) => {
    let count = 0;
    const metrics = async () => {
      count++;
      return pageOf(64 << 20);
    };
    const { url } = await useAdmin(t, { metrics }, { takeWithinMs: 200 });
    const client = await useRawClient(t, url);
    client.socket.write(GET_METRICS.repeat(100));
    await untilClosed(client, "\r\n");
    assert.equal(count, 1);
  });
});

describe("connections to the admin server, where there are too many", () => {
  it("make room, whoever has waited longest first, and whoever asks is answered", async (t) => {
    const admin = await useAdmin(t, {}, { connections: 3 });
    const [first, second, third] = [
      await idle(t, admin.url),
      await idle(t, admin.url),
      await idle(t, admin.url),
    ];
    assert.equal((await admin.ask("GET", "/healthz")).status, 200);
    await first.closed;
    assert.deepEqual([second.socket.destroyed, third.socket.destroyed], [false, false]);
  });

  it("stay where a request is carried out on them", async (t) => {
    const rollback = rollbackOf();
    const admin = await useAdmin(
      t,
      { tokenFile: await tokenOf(t), rollback: rollback.run },
      { connections: 3 },
    );
    const asked = await useRawClient(t, admin.url);
    asked.received();
    asked.socket.write(`${WITH_TOKEN}\r\n`);
    const end = await until("it has begun", rollback.end);
    const others = [];
    for (let count = 0; count < 10; count++) others.push(await idle(t, admin.url));
    await Promise.all(others.slice(0, -2).map(({ closed }) => closed));
    end();
    await until("it is answered", () => asked.received().startsWith("HTTP/1.1 409 "));
  });

  it("are turned away where requests are carried out on all, and taken again after that", async (t) => {
    const rollback = rollbackOf();
    const admin = await useAdmin(
      t,
      { tokenFile: await tokenOf(t), rollback: rollback.run },
      { connections: 1 },
    );
    const asked = await useRawClient(t, admin.url);
    asked.received();
    asked.socket.write(`${WITH_TOKEN}\r\n`);
    const end = await until("it has begun", rollback.end);
    await (await idle(t, admin.url)).closed;
    end();
    await until("it is answered", () => asked.received().startsWith("HTTP/1.1 409 "));
    assert.equal((await admin.ask("GET", "/healthz")).status, 200);
  });
});

describe("a body that is far too large", () => {
  const CHUNKED = "transfer-encoding: chunked\r\n\r\n";
  const LENGTH = `content-length: ${2 ** 40}\r\n\r\n`;
  for (const [what, head, status] of [
    ["with its length", WITH_TOKEN + LENGTH, 413],
    ["in chunks", WITH_TOKEN + CHUNKED, 413],
    ["of who has no token", ROLLBACK + LENGTH, 401],
    ["that nobody asked for", GET_METRICS.slice(0, -2) + CHUNKED, 200],
  ] as const) {
    it(`is cut off after the answer, not read: ${what}`, async (t) => {
      const { url } = await useAdmin(t, { tokenFile: await tokenOf(t) }, { requestWithinMs: 600_000 });
      const client = await useRawClient(t, url);
      client.received();
      client.socket.write(head);
      const chunk = `10000\r\n${"x".repeat(1 << 16)}\r\n`;
      await untilClosed(client, chunk);
      assert.equal(client.received().slice(0, 13), `HTTP/1.1 ${status} `);
    });
  }
});

/** Goes on sending until the connection is over. */
async function untilClosed({ socket }: RawClient, drop: string): Promise<void> {
  await until("the connection is closed", () => {
    if (socket.writable && drop !== "") socket.write(drop);
    return socket.destroyed;
  });
}

/** A connection that the server has, and on which nothing comes. */
async function idle(t: TestContext, url: string): Promise<RawClient> {
  const client = await useRawClient(t, url);
  client.received();
  return client;
}

function pageOf(bytes: number) {
  return { contentType: "text/plain", text: "#".repeat(bytes) };
}

/** A rollback that ends when the test says so. */
function rollbackOf() {
  let end: (() => void) | undefined;
  const run = () =>
    new Promise<ReloadOutcome>((resolve) => {
      end = () => resolve({ kind: "interrupted" });
    });
  return { run, end: () => end };
}

async function tokenOf(t: TestContext): Promise<() => string> {
  const file = await writeToken(t);
  return () => file;
}
