import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { freePorts } from "../../src/dev/etcd.ts";
import { type Clock, systemClock } from "../../src/runtime/clock.ts";
import { type TestEtcd, useEtcd } from "../support/etcd.ts";
import { differences, type Following, follow } from "../support/follow.ts";
import { hurriedClock } from "../support/hurried-clock.ts";
import { type TcpProxy, useTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/wait.ts";
import { useWriter, type Writer } from "../support/writer.ts";

describe("a link that is cut", () => {
  it("loses, repeats and reorders nothing of 2,000 puts while it is cut again and again", async (t) => {
    const { proxy, writer, following } = await useFollowed(t);

    let revision = 0;
    for (let index = 0; index < 2_000; index++) {
      revision = await (index % 7 === 0
        ? writer.delete(`/certs/${index - 7}`)
        : writer.put(`/certs/${index}`, "put"));
      if (index % 200 !== 100) continue;
      // Once it is there again; what is put until then is its backlog.
      const cuts = following.reported("etcd.disconnected").length;
      await until("there is a link", () => isConnected(following));
      // Again where it hit nothing but the connection of the range that is over: the watch has one of its own.
      await until("it is cut", () => {
        proxy.cut();
        return following.reported("etcd.disconnected").length > cuts;
      });
    }
    await following.untilRevision(revision);

    assert.deepEqual(differences(following.content(), await writer.content()), []);
    assert.deepEqual(following.breaches, []);
    assert.ok(following.reported("etcd.disconnected").length >= 10);
    assert.deepEqual(new Set(following.causes().slice(1)), new Set(["watch"]));
  });

  it("loses nothing of a backlog where it is cut after any number of bytes", async (t) => {
    const { proxy, writer, following } = await useFollowed(t, hurriedClock(10));
    await proxy.set("refuse");
    await until("it is cut off", () => following.reported("etcd.disconnected").length > 0);
    const puts = Array.from({ length: 2_000 }, (_, index) => writer.put(`/certs/${index}`, "put"));
    const revision = Math.max(...(await Promise.all(puts)));

    // The first few bytes are HTTP/2 settings, then comes `created`, then the backlog in two messages.
    await proxy.set("pass");
    for (let bytes = 20; bytes < 100_000; bytes = Math.round(bytes * 1.5)) {
      proxy.cutAfter(bytes);
      const { accepted } = proxy;
      await until(
        "it tried",
        () => proxy.accepted > accepted || (following.seen.at(-1)?.revision ?? 0) === revision,
      );
    }
    proxy.cutAfter(Number.POSITIVE_INFINITY);
    await following.untilRevision(revision);

    assert.deepEqual(differences(following.content(), await writer.content()), []);
    assert.deepEqual(following.breaches, []);
    assert.equal(following.causes().filter((cause) => cause === "start").length, 1);
  });

  it("is tried again from the start where it is cut within the first listing", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    for (let index = 0; index < 10; index++) await writer.put(`/certs/${index}`, Buffer.alloc(100_000, "x"));
    const proxy = await useTcpProxy(t, portOf(etcd));
    proxy.cutAfter(300_000);

    const following = follow(t, { access: { endpoints: [proxy.endpoint] } });
    await until("it was cut three times", () => following.reported("etcd.disconnected").length >= 3);
    proxy.cutAfter(Number.POSITIVE_INFINITY);
    await following.untilSeen(1);

    assert.deepEqual(differences(following.content(), await writer.content()), []);
    assert.deepEqual(following.causes(), ["start"]);
  });
});

describe("an etcd that is away", () => {
  it("is waited for when it is down at the start", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    await writer.put("/certs/a", "one");
    await etcd.kill();

    const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
    await until("it tried twice", () => following.reported("etcd.disconnected").length >= 2);
    await etcd.restart();
    await following.untilSeen(1);

    const [first] = following.reported("etcd.disconnected");
    assert.equal(first?.code, "ETCD_UNAVAILABLE");
    assert.match(first?.message ?? "", new RegExp(etcd.endpoint));
    assert.deepEqual(following.content(), { "/certs/a": "one" });
  });

  it("goes on where it was after etcd is killed and comes back", async (t) => {
    const { etcd, writer, following } = await useFollowed(t);
    await following.untilRevision(await writer.put("/certs/before", "put"));

    await etcd.kill();
    await until("it is noticed", () => following.reported("etcd.disconnected").length > 0);
    await etcd.restart();
    await writer.put("/certs/after", "put");
    await following.untilContent({ "/certs/before": "put", "/certs/after": "put" });

    assert.deepEqual(new Set(following.causes()), new Set(["start", "watch"]));
    assert.deepEqual(following.breaches, []);
  });

  it("shows puts and deletes that happened while it could not be reached", async (t) => {
    const { proxy, writer, following } = await useFollowed(t);
    await following.untilRevision(
      await writer.together({ "/certs/kept": "old", "/certs/changed": "old", "/certs/gone": "old" }),
    );

    await proxy.set("refuse");
    await until("it is cut off", () => following.reported("etcd.disconnected").length > 0);
    await writer.put("/certs/changed", "new");
    await writer.put("/certs/new", "new");
    await writer.put("/certs/passing", "new");
    await writer.delete("/certs/passing");
    const revision = await writer.delete("/certs/gone");
    await proxy.set("pass");
    await following.untilRevision(revision);

    assert.deepEqual(following.content(), {
      "/certs/kept": "old",
      "/certs/changed": "new",
      "/certs/new": "new",
    });
    assert.deepEqual(following.breaches, []);
  });

  it("is left for another endpoint", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    const [dead] = await freePorts(1);

    const followings = Array.from({ length: 6 }, () =>
      follow(t, { access: { endpoints: [`http://127.0.0.1:${dead}`, etcd.endpoint] } }),
    );
    const revision = await writer.put("/certs/a", "one");
    await Promise.all(followings.map((following) => following.untilRevision(revision)));

    const endpoints = followings.map((following) => following.reported("etcd.connected")[0]?.endpoint);
    assert.deepEqual(new Set(endpoints), new Set([etcd.endpoint]));
    assert.deepEqual(
      followings.flatMap(({ breaches }) => breaches),
      [],
    );
  });

  it("is left for another endpoint in the middle of the watch", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    const proxies = [await useTcpProxy(t, portOf(etcd)), await useTcpProxy(t, portOf(etcd))];
    const following = follow(t, { access: { endpoints: proxies.map(({ endpoint }) => endpoint) } });
    await following.untilRevision(await writer.put("/certs/a", "one"));

    const inUse = following.reported("etcd.connected").at(-1)?.endpoint;
    await proxies.find(({ endpoint }) => endpoint === inUse)?.set("refuse");
    await following.untilRevision(await writer.put("/certs/a", "two"));

    assert.notEqual(following.reported("etcd.connected").at(-1)?.endpoint, inUse);
    assert.deepEqual(following.content(), { "/certs/a": "two" });
    assert.deepEqual(following.breaches, []);
  });
});

interface Followed {
  readonly etcd: TestEtcd;
  readonly writer: Writer;
  readonly proxy: TcpProxy;
  readonly following: Following;
}

/** Whether the last that was said of the link is that it is there. */
function isConnected({ events }: Following): boolean {
  const last = events.findLast(({ type }) => type === "etcd.connected" || type === "etcd.disconnected");
  return last?.type === "etcd.connected";
}

async function useFollowed(t: TestContext, clock: Clock = systemClock): Promise<Followed> {
  const etcd = await useEtcd(t);
  const writer = useWriter(t, etcd.endpoint);
  const proxy = await useTcpProxy(t, portOf(etcd));
  const following = follow(t, { access: { endpoints: [proxy.endpoint] }, clock });
  await following.untilSeen(1);
  return { etcd, writer, proxy, following };
}

function portOf({ endpoint }: TestEtcd): number {
  return Number(new URL(endpoint).port);
}
