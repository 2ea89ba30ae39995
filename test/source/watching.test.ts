import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { useEtcd } from "../support/etcd.ts";
import { differences, follow } from "../support/follow.ts";
import { useTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/wait.ts";
import { useWriter, type Writer } from "../support/writer.ts";

const MEGABYTE = 1_000_000;

describe("watching a prefix", () => {
  it("shows puts and deletes", async (t) => {
    const { following, writer } = await useFollowed(t);

    await writer.put("/certs/a", "one");
    const put = await writer.put("/certs/a", "two");
    await following.untilRevision(put);
    const deleted = await writer.delete("/certs/a");
    await following.untilRevision(deleted);

    const last = following.seen.at(-1);
    assert.deepEqual(
      [last?.cause, last?.revision, [...(last?.changed ?? [])]],
      ["watch", deleted, [["/certs/a", null]]],
    );
    assert.deepEqual(following.content(), {});
    assert.deepEqual(following.breaches, []);
  });

  it("shows bytes as they are", async (t) => {
    const { following, writer } = await useFollowed(t);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

    await writer.put("/certs/empty", "");
    await following.untilRevision(await writer.put("/certs/bytes", bytes));

    const entries = new Map(following.seen.flatMap(({ changed }) => [...changed]));
    assert.deepEqual(entries.get("/certs/bytes")?.value, bytes);
    assert.deepEqual(
      [entries.get("/certs/empty")?.bytes, entries.get("/certs/empty")?.value?.length],
      [0, 0],
    );
  });

  it("shows a transaction whole", async (t) => {
    const { following, writer } = await useFollowed(t);
    const keys = Array.from({ length: 50 }, (_, index) => `/certs/${index}`);

    let revision = 0;
    for (let round = 0; round < 40; round++) {
      revision = await writer.together(Object.fromEntries(keys.map((key) => [key, String(round)])));
    }
    await following.untilRevision(revision);

    const halves = following.seen.slice(1).filter(({ changed }) => {
      const values = new Set([...changed.values()].map((entry) => entry?.value?.toString()));
      return changed.size !== keys.length || values.size !== 1;
    });
    assert.deepEqual(halves, []);
    assert.deepEqual(following.breaches, []);
  });

  it("shows a transaction whole that is larger than one message", async (t) => {
    const { following, writer } = await useFollowed(t, ["--max-request-bytes", String(40 * MEGABYTE)]);
    const large = Object.fromEntries(
      [1, 2, 3, 4, 5, 6].map((index) => [`/certs/${index}`, Buffer.alloc(MEGABYTE)]),
    );

    await following.untilRevision(await writer.together(large));

    const [, ...rest] = following.seen;
    assert.deepEqual(
      rest.map(({ changed }) => changed.size),
      [6],
    );
  });

  it("shows puts and deletes of one transaction together", async (t) => {
    const { following, writer } = await useFollowed(t);
    await following.untilRevision(
      await writer.together({ "/certs/a/tls.crt": "old", "/certs/a/tls.key": "old" }),
    );

    const revision = await writer.together({ "/certs/a.pem": "new" }, [
      "/certs/a/tls.crt",
      "/certs/a/tls.key",
    ]);
    await following.untilRevision(revision);

    assert.deepEqual([...(following.seen.at(-1)?.changed.keys() ?? [])].sort(), [
      "/certs/a.pem",
      "/certs/a/tls.crt",
      "/certs/a/tls.key",
    ]);
    assert.deepEqual(following.content(), { "/certs/a.pem": "new" });
  });

  it("shows the last of many puts of one key", async (t) => {
    const { following, writer } = await useFollowed(t);

    const puts = Array.from({ length: 1_000 }, (_, index) => writer.put("/certs/a", String(index)));
    await following.untilRevision(Math.max(...(await Promise.all(puts))));

    assert.deepEqual(differences(following.content(), await writer.content()), []);
    assert.deepEqual(following.breaches, []);
  });
});

describe("a consumer that takes its time", () => {
  it("misses nothing, and the changes wait in etcd meanwhile", async (t) => {
    const { proxy, writer, following, gate } = await useHeld(t);
    await following.untilRevision(await writer.put("/certs/first", "put"));

    gate.isOpen = false;
    await writer.put("/certs/held", "put");
    await until("the consumer is held", () => gate.isHolding);
    const before = proxy.forwarded;
    const revision = await putLarge(writer, 150, 3);
    const readAhead = proxy.forwarded - before;
    gate.isOpen = true;
    await following.untilRevision(revision);

    assert.ok(readAhead < 50 * MEGABYTE, `of 150 MB ${readAhead} bytes were read ahead`);
    assert.deepEqual(differences(following.content(), await writer.content()), []);
    assert.deepEqual(following.breaches, []);
    assert.deepEqual(following.reported("etcd.disconnected"), []);
  });

  it("gets everything of a backlog of 12 values of 1 MB, piece by piece", async (t) => {
    const { writer, following, gate } = await useHeld(t);
    gate.isOpen = false;
    await following.untilSeen(1);

    const revision = await putLarge(writer, 12, 12);
    gate.isOpen = true;
    await following.untilRevision(revision);

    const sizes = following.seen.map(({ changed }) =>
      [...changed.values()].map((entry) => entry?.value?.length),
    );
    assert.deepEqual(sizes.flat(), Array(12).fill(MEGABYTE));
    assert.ok(Math.max(...sizes.map(({ length }) => length)) < 4);
    assert.deepEqual(following.breaches, []);
    assert.deepEqual(following.reported("etcd.disconnected"), []);
  });
});

async function useHeld(t: TestContext) {
  const etcd = await useEtcd(t);
  const writer = useWriter(t, etcd.endpoint);
  const proxy = await useTcpProxy(t, Number(new URL(etcd.endpoint).port));
  const gate = { isOpen: true, isHolding: false };
  const work = async () => {
    gate.isHolding = !gate.isOpen;
    await until("the gate is open", () => gate.isOpen);
  };
  const following = follow(t, { access: { endpoints: [proxy.endpoint] }, work });
  return { proxy, writer, following, gate };
}

/** Puts values of 1 MB, each key again and again. Gives the last revision. */
async function putLarge(writer: Writer, count: number, keys: number): Promise<number> {
  let revision = 0;
  for (let index = 0; index < count; index++) {
    revision = await writer.put(`/certs/${index % keys}`, Buffer.alloc(MEGABYTE, index));
  }
  return revision;
}

async function useFollowed(t: TestContext, etcdArguments: readonly string[] = []) {
  const etcd = await useEtcd(t, etcdArguments);
  const writer = useWriter(t, etcd.endpoint);
  const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
  await following.untilSeen(1);
  return { etcd, writer, following };
}
