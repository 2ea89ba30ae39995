/** The stream of what changes on the status page: what it costs, and whom it keeps out. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { AdminLimits } from "../../src/admin/limits.ts";
import { ADMIN_LIMITS } from "../../src/admin/limits.ts";
import { startAdminServer } from "../../src/admin/server.ts";
import { StatusBoard } from "../../src/observe/board.ts";
import { IDLE, useAdmin } from "../support/admin.ts";
import * as events from "../support/events.ts";
import { useRawClient } from "../support/raw-client.ts";
import { stays, until } from "../support/wait.ts";

const GET = "GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n";
const QUICK = { updateEveryMs: 20, beatEveryMs: 50 };

describe("the stream of changes", () => {
  it("tells everything at first, then what changes, and that the link still is", async (t) => {
    const { note, listen } = await setUp(t);
    const { received } = await listen();
    await until("everything came", () => received().includes("event: update"));
    assert.match(received(), /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/event-stream\r\n/);
    note(events.rejected());
    await until("the change came", () => received().includes("KEY_MISMATCH"));
    await until("the link is said to be there", () => received().includes("event: beat"));
  });

  it("goes on where a page was: with what it has heard last, or shows already", async (t) => {
    const { note, listen } = await setUp(t);
    const { received } = await listen();
    const id = await until("everything came", () => /id: (\S+)/.exec(received())?.[1]);
    note(events.rejected());
    await until("the change came", () => received().includes("KEY_MISMATCH"));
    for (const request of [
      GET.replace("/events", `/events?since=${id}`),
      GET.replace("\r\n\r\n", `\r\nlast-event-id: ${id}\r\n\r\n`),
    ]) {
      const again = await listen(request);
      await until("the change came", () => again.received().includes("KEY_MISMATCH"));
      assert.doesNotMatch(again.received(), /"node":/);
    }
  });

  it("tells a slow page nothing more before it has taken what came, and then everything since at once", async (t) => {
    const { url, noteBig } = await setUp(t);
    const client = await useRawClient(t, url);
    client.socket.write(GET);
    const changes = 20;
    for (let count = 1; count <= changes; count++) await noteBig(count);
    client.received();
    await until("the last came", () => client.received().includes(`change ${changes} `));
    assert.ok(client.received().split("event: update").length <= 5);
  });

  it("cuts off a page that does not take what came", async (t) => {
    const { url, noteBig } = await setUp(t, { takeWithinMs: 200 });
    const client = await useRawClient(t, url);
    client.socket.write(GET);
    await noteBig(1);
    await until("it is over", () => {
      // Who does not read learns by writing that it is over. Empty lines are no request (RFC 9112 §2.2).
      client.socket.write("\r\n");
      return client.socket.destroyed;
    });
  });

  it("is for a few pages only, and for the next one when one is gone", async (t) => {
    const { listen, admin } = await setUp(t, { streams: 2 });
    const first = await listen();
    const second = await listen();
    await until("both listen", () => [first, second].every(({ received }) => received().includes("update")));
    const { status, body } = await admin.ask("GET", "/events");
    assert.deepEqual([status, body], [503, "2 pages are open already\n"]);
    first.socket.destroy();
    await until("there is room again", async () => {
      const third = await listen();
      return until("it is answered", () => /^HTTP\/1\.1 (\d+)/.exec(third.received())?.[1]).then(
        (code) => code === "200",
      );
    });
  });

  it("is not for pages of others", async (t) => {
    const { admin } = await setUp(t);
    for (const site of ["cross-site", "same-site"]) {
      assert.equal((await admin.ask("GET", "/events", { "sec-fetch-site": site })).status, 403);
    }
    // Where they ask over http, by a name, browsers say nothing of the site.
    assert.equal((await admin.ask("GET", "/events", { origin: "http://evil.example" })).status, 403);
  });

  it("keeps nobody out: it is a connection that makes room, whoever has waited longest first", async (t) => {
    const { listen, admin } = await setUp(t, { connections: 3 });
    const streams = [await listen(), await listen(), await listen()];
    await until("all listen", () => streams.every(({ received }) => received().includes("update")));
    assert.equal((await admin.ask("GET", "/healthz")).status, 200);
    await streams[0]?.closed;
    assert.equal(streams[2]?.socket.destroyed, false);
  });

  it("is not cut off by the limits that other answers have", async (t) => {
    const hurried = {
      headersWithinMs: 50,
      requestWithinMs: 100,
      keepAliveMs: 50,
      lookEveryMs: 20,
      takeWithinMs: 50,
    };
    const { listen } = await setUp(t, hurried);
    const { socket, received } = await listen();
    await until("it listens", () => received().includes("update"));
    await stays(() => !socket.destroyed, "it listens", 500);
  });

  it("is the last thing on its connection: what is asked after it ends it", async (t) => {
    const { listen } = await setUp(t);
    const { socket, received, closed } = await listen();
    await until("it listens", () => received().includes("update"));
    socket.write(GET.replace("/events", "/healthz"));
    await closed;
  });

  it("ends when the server closes, which does not wait for it", async (t) => {
    const server = await startAdminServer(IDLE, ADMIN_LIMITS);
    const client = await useRawClient(t, server.url);
    client.received();
    client.socket.write(GET);
    await until("it listens", () => client.received().includes("update"));
    await server.close();
    await client.closed;
  });

  it("ends where what changed cannot be told, and the server goes on", async (t) => {
    const thrown: unknown[] = [];
    const status = () => {
      throw new Error("broken");
    };
    let isBroken = false;
    const admin = await useAdmin(
      t,
      { status: () => (isBroken ? status() : IDLE.status()), onError: (error) => thrown.push(error) },
      QUICK,
    );
    const client = await useRawClient(t, admin.url);
    client.received();
    client.socket.write(GET);
    await until("it listens", () => client.received().includes("update"));
    isBroken = true;
    await client.closed;
    assert.match(String(thrown[0]), /broken/);
    assert.equal((await admin.ask("GET", "/healthz")).status, 200);
  });
});

async function setUp(t: TestContext, limits: Partial<AdminLimits> = {}) {
  const board = new StatusBoard("gpu-017", "1.2.3", IDLE.now);
  for (const event of [events.connected, events.snapshot(), events.live()]) board.note(event);
  let looks = 0;
  const status = () => {
    looks++;
    return board.status();
  };
  const admin = await useAdmin(t, { status }, { ...QUICK, ...limits });
  const listen = async (request = GET) => {
    const client = await useRawClient(t, admin.url);
    client.received();
    client.socket.write(request);
    return client;
  };
  /** A change of megabytes, more than a connection takes in by itself; resolves when it was looked at. */
  const noteBig = async (count: number) => {
    const before = looks;
    board.note(events.rejected({ code: "KEY_MISMATCH", message: `change ${count} ${"x".repeat(4 << 20)}` }));
    await until("it was looked at", () => looks > before + 1);
  };
  return { admin, url: admin.url, note: board.note, listen, noteBig };
}
