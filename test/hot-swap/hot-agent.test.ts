import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type Agent, get } from "node:https";
import { describe, it, type TestContext } from "node:test";
import { useHotClient } from "../support/hot-client.ts";
import { until } from "../support/wait.ts";

/** The body of the answer. */
async function fetchBy(agent: Agent, url: string, path = ""): Promise<string> {
  const request = get(`${url}${path}`, { agent });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return body;
}

/** An agent with one connection, which is taken by a request under way while another waits for it. */
async function useBusyPool(t: TestContext) {
  const { hot, server, first, turn } = await useHotClient(t);
  const agent = hot.httpsAgent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const underWay = fetchBy(agent, server.url, "later");
  const waiting = fetchBy(agent, server.url);
  await until("the first is there", () => server.waitingCount() === 1);
  return { agent, server, first, turn, underWay, waiting };
}

describe("an https agent that follows", () => {
  it("keeps a connection while the bundle stays, and makes requests after a swap over a new one", async (t) => {
    const { hot, server, first, turn } = await useHotClient(t);
    const agent = hot.httpsAgent({ keepAlive: true });
    t.after(() => agent.destroy());
    const before = [await fetchBy(agent, server.url), await fetchBy(agent, server.url)];
    assert.deepEqual([before, server.resumed], [[first, first], [false]]);

    const second = await turn();

    await until("the old connection is gone", () => server.openCount() === 0);
    const after = [await fetchBy(agent, server.url), await fetchBy(agent, server.url)];
    assert.deepEqual(
      [after, server.resumed],
      [
        [second, second],
        [false, false],
      ],
    );
    await until("the old connection is gone", () => server.openCount() === 1);
  });

  it("resumes TLS sessions of the same generation, and none of an earlier one", async (t) => {
    const { hot, server, turn } = await useHotClient(t);
    const agent = hot.httpsAgent();
    await fetchBy(agent, server.url);
    await fetchBy(agent, server.url);
    assert.deepEqual(server.resumed, [false, true], "else the swap shows nothing");

    const second = await turn();

    assert.equal(await fetchBy(agent, server.url), second);
    await fetchBy(agent, server.url);
    assert.deepEqual(server.resumed, [false, true, false, true]);
  });

  it("finishes what is under way, and does not keep its connection for more", async (t) => {
    const { hot, server, first, turn } = await useHotClient(t);
    const agent = hot.httpsAgent({ keepAlive: true });
    t.after(() => agent.destroy());
    const underWay = fetchBy(agent, server.url, "later");
    await until("it is there", () => server.waitingCount() === 1);

    const second = await turn();

    assert.equal(await fetchBy(agent, server.url), second);
    server.answer();
    assert.equal(await underWay, first);
    await until("its connection is gone", () => server.openCount() === 1);
    assert.equal(await fetchBy(agent, server.url), second);
  });

  it("does not let a busy pool keep the old connection: who asks after the swap waits for none of it", async (t) => {
    const { agent, server, first, turn, underWay, waiting } = await useBusyPool(t);

    const second = await turn();

    assert.equal(await fetchBy(agent, server.url), second);
    server.answer();
    assert.deepEqual(await Promise.all([underWay, waiting]), [first, first]);
    await until("the old connection is gone", () => server.openCount() === 1);
  });

  it("gives a request that waited for a connection which broke a new one, with what is current", async (t) => {
    const { server, turn, underWay, waiting } = await useBusyPool(t);
    const second = await turn();

    server.drop();

    await assert.rejects(underWay);
    assert.equal(await waiting, second);
    assert.deepEqual(server.resumed, [false, false]);
    await until("no connection under the old name is kept", () => server.openCount() === 0);
  });
});
