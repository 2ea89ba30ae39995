import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../src/dev/etcd.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { type Following, type FollowOptions, follow } from "../support/follow.ts";
import { useTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/wait.ts";
import { useWriter } from "../support/writer.ts";

/** Shorter than the shortest deadline of anything it may be waiting for. */
const PROMPT_MS = 2_000;

describe("aborting a source", () => {
  it("ends it before it has begun", async (t) => {
    const { proxy, start } = await useProxied(t);

    const following = start();
    await endsPromptly(following);

    assert.deepEqual(following.seen, []);
    await until("every socket is gone", () => proxy.open === 0);
  });

  it("ends it while it connects to a link that stays silent", async (t) => {
    const { proxy, start, resources } = await useProxied(t);
    await proxy.set("silent");

    const following = start();
    await until("it is connecting", () => proxy.accepted > 0);
    await endsPromptly(following);

    await until("every socket is gone", () => proxy.open === 0);
    await resources.untilBack();
  });

  it("ends it while it signs in", async (t) => {
    const { proxy, start } = await useProxied(t);
    const passwordFile = join(await useFolder(t), "password");
    await writeFile(passwordFile, "any");
    await proxy.set("silent");

    const following = start({ access: { endpoints: [proxy.endpoint], username: "keyturn", passwordFile } });
    await until("it is connecting", () => proxy.accepted > 0);
    await endsPromptly(following);

    await until("every socket is gone", () => proxy.open === 0);
  });

  it("ends it while it waits to try again", async (t) => {
    const [port] = await freePorts(1);
    const wait = { isWaiting: false };
    const clock = {
      now: () => new Date(),
      monotonicMs: () => performance.now(),
      sleep: (_ms: number, signal: AbortSignal) =>
        new Promise<void>((_resolve, reject) => {
          wait.isWaiting = true;
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
    };

    const following = follow(t, { access: { endpoints: [`http://127.0.0.1:${port}`] }, clock });
    await until("it waits", () => wait.isWaiting);
    await endsPromptly(following);

    assert.deepEqual(following.breaches, []);
  });

  it("ends it in the middle of a listing", async (t) => {
    const { proxy, writer, start, resources } = await useProxied(t);
    for (let index = 0; index < 4; index++) await writer.put(`/certs/${index}`, Buffer.alloc(1_000_000));
    proxy.throttle(500_000);

    const following = start();
    await until("it lists", () => proxy.forwarded > 100_000);
    await endsPromptly(following);

    assert.deepEqual(following.seen, []);
    await until("every socket is gone", () => proxy.open === 0);
    await resources.untilBack();
  });

  it("ends it while it watches", async (t) => {
    const { proxy, writer, start, resources } = await useProxied(t);

    const following = start();
    await following.untilSeen(1);
    await following.untilRevision(await writer.put("/certs/a", "one"));
    await endsPromptly(following);

    await until("every socket is gone", () => proxy.open === 0);
    await resources.untilBack();
  });

  it("ends it while its link is a black hole", async (t) => {
    const { proxy, writer, start } = await useProxied(t);
    const following = start();
    await following.untilSeen(1);
    await following.untilRevision(await writer.put("/certs/a", "one"));

    await proxy.set("blackhole");
    await endsPromptly(following);

    await until("every socket is gone", () => proxy.open === 0);
  });

  it("ends it after the consumer's work, and hands out nothing more", async (t) => {
    const { proxy, writer, start } = await useProxied(t);
    await writer.put("/certs/a", "one");
    const gate = { isOpen: false };
    const following = start({
      work: () => until("the gate is open", () => gate.isOpen).then(() => undefined),
    });
    await following.untilSeen(1);

    const stopped = following.stop();
    await until("every socket is gone", () => proxy.open === 0);
    gate.isOpen = true;
    await stopped;

    assert.equal(following.seen.length, 1);
    assert.deepEqual(following.breaches, []);
  });

  it("leaves no socket behind, whenever it comes", async (t) => {
    const { proxy, writer, start, resources } = await useProxied(t);
    await writer.put("/certs/a", "one");

    for (let round = 0; round < 100; round++) {
      if (round === 70) await proxy.set("silent");
      const following = start();
      // A sweep over the moments of a session, which takes some twenty milliseconds.
      await (round % 20 === 0 ? undefined : sleep(round % 20));
      following.requestResync();
      if (round % 3 === 0) await sleep(round % 5);
      await endsPromptly(following);
      assert.deepEqual(following.breaches, []);
    }

    await until("every socket is gone", () => proxy.open === 0);
    await resources.untilBack();
  });
});

async function useProxied(t: TestContext) {
  const etcd = await useEtcd(t);
  const writer = useWriter(t, etcd.endpoint);
  await writer.put("/warm", "up");
  const proxy = await useTcpProxy(t, Number(new URL(etcd.endpoint).port));
  const access = { endpoints: [proxy.endpoint] };
  const start = (options: Partial<FollowOptions> = {}) => follow(t, { access, ...options });
  return { writer, proxy, start, resources: watchResources() };
}

async function endsPromptly(following: Following): Promise<void> {
  const tookMs = await following.stop();
  assert.ok(tookMs < PROMPT_MS, `it took ${tookMs} ms`);
  assert.deepEqual(following.breaches, []);
}

/** Looks at what keeps this process alive: sockets and timers. */
function watchResources() {
  const count = () =>
    process.getActiveResourcesInfo().filter((name) => /TCPSocketWrap|TLSWrap|Timeout|GetAddrInfo/.test(name))
      .length;
  const before = count();
  return {
    untilBack: () => until("no socket or timer is left", () => count() <= before),
  };
}
