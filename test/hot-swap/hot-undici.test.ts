import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as undici from "undici";
import { useHotClient } from "../support/hot-client.ts";
import { until } from "../support/wait.ts";

async function requestBy(dispatcher: undici.Dispatcher, url: string, path = ""): Promise<string> {
  const { body } = await undici.request(`${url}${path}`, { dispatcher });
  return body.text();
}

describe("an undici dispatcher that follows", () => {
  it("keeps a connection while the bundle stays, and makes requests after a swap over a new one", async (t) => {
    const { hot, server, first, turn } = await useHotClient(t);
    const dispatcher = hot.undici(undici, { connections: 1 });
    t.after(() => dispatcher.destroy());
    const before = [await requestBy(dispatcher, server.url), await requestBy(dispatcher, server.url)];
    assert.deepEqual([before, server.resumed], [[first, first], [false]]);

    const second = await turn();

    await until("the old connection is gone", () => server.openCount() === 0);
    const after = [await requestBy(dispatcher, server.url), await requestBy(dispatcher, server.url)];
    assert.deepEqual(
      [after, server.resumed],
      [
        [second, second],
        [false, false],
      ],
    );
    await until("the old connection is gone", () => server.openCount() === 1);
  });

  it("finishes what is under way, through several swaps", async (t) => {
    const { hot, server, first, turn } = await useHotClient(t);
    const dispatcher = hot.undici(undici);
    t.after(() => dispatcher.destroy());
    const underWay = requestBy(dispatcher, server.url, "later");
    await until("it is there", () => server.waitingCount() === 1);

    await turn();
    const third = await turn();

    assert.equal(await requestBy(dispatcher, server.url), third);
    server.answer();
    assert.equal(await underWay, first);
    await until("its connection is gone", () => server.openCount() === 1);
  });

  it("is one of undici's own dispatchers, with its options, its methods and its events", async (t) => {
    const { hot, server, first, turn } = await useHotClient(t);
    const connected: URL[] = [];
    const dispatcher = hot.undici(undici, { connections: 1, connect: { servername: "inference.local" } });
    t.after(() => dispatcher.destroy());
    dispatcher.on("connect", (origin) => connected.push(origin));

    const { body } = await dispatcher.request({ origin: server.url, path: "/", method: "GET" });
    const read = await body.text();
    const composed = dispatcher.compose(undici.interceptors.retry());
    const second = await turn();

    assert.ok(dispatcher instanceof undici.Dispatcher);
    assert.equal(read, first);
    assert.equal(await requestBy(composed, server.url), second);
    assert.deepEqual(connected.map(String), [server.url, server.url]);
  });

  it("serves Node's own fetch", async (t) => {
    const { hot, server, first, turn } = await useHotClient(t);
    const dispatcher = hot.undici(undici);
    t.after(() => dispatcher.destroy());
    // Node's declarations are of another undici.
    const options = { dispatcher } as unknown as RequestInit;
    const before = await (await fetch(server.url, options)).text();

    const second = await turn();

    assert.deepEqual([before, await (await fetch(server.url, options)).text()], [first, second]);
  });

  it("closes when all requests have ended, those of earlier generations too", async (t) => {
    const { hot, server, first, turn } = await useHotClient(t);
    const dispatcher = hot.undici(undici);
    const underWay = requestBy(dispatcher, server.url, "later");
    await until("it is there", () => server.waitingCount() === 1);
    const second = await turn();
    assert.equal(await requestBy(dispatcher, server.url), second);

    let isClosed = false;
    const closed = dispatcher.close().then(() => {
      isClosed = true;
    });
    await assert.rejects(requestBy(dispatcher, server.url), { code: "UND_ERR_CLOSED" });
    assert.equal(isClosed, false);
    server.answer();
    assert.equal(await underWay, first);
    await closed;

    await until("no connection is left", () => server.openCount() === 0);
  });

  it("breaks off all requests where it is destroyed, those of earlier generations too", async (t) => {
    const { hot, server, turn } = await useHotClient(t);
    const dispatcher = hot.undici(undici);
    const underWay = requestBy(dispatcher, server.url, "later");
    const broken = assert.rejects(underWay, { message: "enough" });
    await until("it is there", () => server.waitingCount() === 1);
    await turn();

    await dispatcher.destroy(new Error("enough"));

    await broken;
    await until("no connection is left", () => server.openCount() === 0);
  });

  it("takes no function for making connections, which would know nothing of the bundle", async (t) => {
    const { hot } = await useHotClient(t);
    assert.throws(() => hot.undici(undici, { connect: () => undefined }), TypeError);
  });
});
