import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type Clock, systemClock } from "../../src/runtime/clock.ts";
import { useEtcd } from "../support/etcd.ts";
import { follow } from "../support/follow.ts";
import { hurriedClock } from "../support/hurried-clock.ts";
import { manualClock } from "../support/manual-clock.ts";
import { useTcpProxy } from "../support/tcp-proxy.ts";
import { stays, until } from "../support/wait.ts";
import { useWriter } from "../support/writer.ts";

/** The watchdog needs 15 s of real time; the rest is for a machine that is busy. */
const PATIENCE_MS = 60_000;

/** A watch that heard nothing for this long asks etcd for a word. */
const ASK_AFTER_MS = 10_000;

// Side by side: each of them waits much longer than it works.
describe("a link that falls silent", { concurrency: 3 }, () => {
  it("is noticed and healed, and what happened meanwhile arrives", async (t) => {
    const { proxy, writer, following, breaks } = await useFollowed(t);
    await following.untilRevision(await writer.put("/certs/a", "one"));

    await proxy.set("blackhole");
    await writer.put("/certs/b", "two");
    const revision = await writer.delete("/certs/a");
    await until("it is noticed", () => breaks() > 0, PATIENCE_MS);
    await proxy.set("pass");
    await following.untilRevision(revision);

    assert.equal(following.reported("etcd.disconnected").at(-1)?.code, "ETCD_UNAVAILABLE");
    assert.deepEqual(following.content(), { "/certs/b": "two" });
    assert.deepEqual(following.breaches, []);
  });

  it("goes on as if nothing had been where it speaks again in time", async (t) => {
    const { proxy, writer, following, breaks } = await useFollowed(t);
    await following.untilRevision(await writer.put("/certs/a", "one"));

    await proxy.set("blackhole");
    const { length } = following.seen;
    const revision = await writer.put("/certs/a", "two");
    await stays(() => following.seen.length === length, "nothing arrives", 500);
    await proxy.set("pass");
    await following.untilRevision(revision);

    assert.deepEqual(following.content(), { "/certs/a": "two" });
    assert.equal(breaks(), 0);
  });

  it("is not wedged by links that are accepted and stay silent, and leaves none of them behind", async (t) => {
    const { proxy, writer, following, breaks } = await useFollowed(t);

    await proxy.set("silent");
    proxy.cut();
    const revision = await writer.put("/certs/a", "one");
    await until("it gave up three", () => breaks() >= 4, PATIENCE_MS);
    const { accepted } = proxy;
    assert.ok(proxy.open <= 1, `of ${accepted} links ${proxy.open} are still open`);
    await proxy.set("pass");
    await following.untilRevision(revision);

    assert.deepEqual(following.content(), { "/certs/a": "one" });
    assert.deepEqual(following.breaches, []);
    await following.stop();
    await until("every socket is gone", () => proxy.open === 0);
  });

  it("is left for an endpoint that speaks", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    const silent = await useTcpProxy(t, portOf(etcd.endpoint));
    await silent.set("silent");
    const endpoints = [silent.endpoint, etcd.endpoint];

    const followings = Array.from({ length: 6 }, () => follow(t, { access: { endpoints } }));
    const revision = await writer.put("/certs/a", "one");
    await Promise.all(followings.map((following) => following.untilRevision(revision)));

    assert.equal(silent.open, 0);
    assert.deepEqual(
      followings.flatMap(({ breaches }) => breaches),
      [],
    );
  });

  it("is noticed where etcd itself is stuck, and the watch goes on when it wakes", async (t) => {
    const { etcd, writer, following, breaks } = await useFollowed(t, hurriedClock(10));
    t.after(() => etcd.process.kill("SIGCONT"));

    etcd.process.kill("SIGSTOP");
    await until("it is noticed", () => breaks() > 0, PATIENCE_MS);
    etcd.process.kill("SIGCONT");
    await following.untilRevision(await writer.put("/certs/a", "one"));

    assert.deepEqual(following.content(), { "/certs/a": "one" });
    assert.deepEqual(following.breaches, []);
  });

  it("is not suspected while etcd has nothing to say", async (t) => {
    const clock = manualClock();
    const { following, proxy, breaks } = await useFollowed(t, clock);
    await until("it listens", () => clock.sleeping.includes(ASK_AFTER_MS));
    const { accepted } = proxy;

    for (let asked = 0; asked < 5; asked++) {
      clock.advance(ASK_AFTER_MS);
      await until("etcd answered", () => clock.sleeping.includes(ASK_AFTER_MS));
    }

    assert.deepEqual([breaks(), proxy.accepted], [0, accepted]);
    assert.deepEqual(following.causes(), ["start"]);
  });

  it("is not suspected while the consumer takes its time", async (t) => {
    const clock = manualClock();
    const gate = { isOpen: true, isHolding: false };
    const work = async () => {
      gate.isHolding = !gate.isOpen;
      await until("the gate is open", () => gate.isOpen);
    };
    const { writer, following, breaks } = await useFollowed(t, clock, work);
    gate.isOpen = false;
    await writer.put("/certs/a", "one");

    await until("the consumer is held", () => gate.isHolding);
    clock.advance(10 * ASK_AFTER_MS);
    gate.isOpen = true;
    await following.untilRevision(await writer.put("/certs/a", "two"));

    assert.equal(breaks(), 0);
    assert.deepEqual(following.breaches, []);
  });
});

async function useFollowed(t: TestContext, clock: Clock = systemClock, work?: () => Promise<void>) {
  const etcd = await useEtcd(t);
  const writer = useWriter(t, etcd.endpoint);
  const proxy = await useTcpProxy(t, portOf(etcd.endpoint));
  const following = follow(t, { access: { endpoints: [proxy.endpoint] }, clock, ...(work && { work }) });
  await following.untilSeen(1);
  const before = following.reported("etcd.disconnected").length;
  const breaks = () => following.reported("etcd.disconnected").length - before;
  return { etcd, writer, proxy, following, breaks };
}

function portOf(endpoint: string): number {
  return Number(new URL(endpoint).port);
}
