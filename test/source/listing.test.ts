import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_VALUE_BYTES } from "../../src/core/snapshot.ts";
import { useEtcd } from "../support/etcd.ts";
import { differences, follow } from "../support/follow.ts";
import { useTcpProxy } from "../support/tcp-proxy.ts";
import { stays, until } from "../support/wait.ts";
import { useWriter } from "../support/writer.ts";

const MEGABYTE = 1_000_000;

describe("listing a prefix", () => {
  it("is where it starts", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    await writer.put("/certs/a", "one");
    const revision = await writer.put("/certs/b", "two");

    const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
    const first = await following.untilSeen(1);

    assert.deepEqual(
      [first.cause, first.revision, [...first.changed.keys()]],
      ["start", revision, ["/certs/a", "/certs/b"]],
    );
    assert.deepEqual(following.content(), { "/certs/a": "one", "/certs/b": "two" });
    assert.deepEqual(following.breaches, []);
  });

  it("gives a snapshot of an empty prefix too", async (t) => {
    const etcd = await useEtcd(t);

    const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
    const first = await following.untilSeen(1);

    assert.deepEqual([first.cause, first.changed.size], ["start", 0]);
  });

  it("never shows a key outside the prefix", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    const outside = [
      "/certs",
      "/cert/a",
      "/certs-old/a",
      "/certs.",
      "/certs0",
      "/certt",
      "certs/a",
      "/CERTS/a",
    ];
    for (const key of [...outside, "/certs/", "/certs/a", "/certs/\u{10ffff}"])
      await writer.put(key, "listed");

    const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
    await following.untilSeen(1);
    for (const key of outside) await writer.put(key, "watched");
    await following.untilRevision(await writer.put("/certs/a", "watched"));

    const wanted = { "/certs/": "listed", "/certs/a": "watched", "/certs/\u{10ffff}": "listed" };
    assert.deepEqual(following.content(), wanted);
    assert.deepEqual(following.breaches, []);
  });

  it("goes through 1,500 keys in pages, at one revision", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    const keys = Array.from({ length: 1_500 }, (_, index) => `/certs/key-${index}`);
    for (let from = 0; from < keys.length; from += 100) {
      await writer.together(Object.fromEntries(keys.slice(from, from + 100).map((key) => [key, key])));
    }

    const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
    const first = await following.untilSeen(1);

    const missing = keys.filter((key) => !first.changed.has(key));
    assert.deepEqual([first.changed.size, missing.length], [1_500, 0]);
    assert.deepEqual(following.breaches, []);
  });

  it("asks for smaller pages where values do not fit the receive limit", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    for (let index = 0; index < 72; index++)
      await writer.put(`/certs/${index}`, Buffer.alloc(MEGABYTE, index));

    const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
    const first = await following.untilSeen(1);

    const whole = [...first.changed.values()].filter((entry) => entry?.value?.length === MEGABYTE);
    assert.equal(whole.length, 72);
    assert.deepEqual(following.reported("etcd.disconnected"), []);
  });

  it("comes to an end on a slow link", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    const proxy = await useTcpProxy(t, Number(new URL(etcd.endpoint).port));
    for (let index = 0; index < 4; index++)
      await writer.put(`/certs/${index}`, Buffer.alloc(MEGABYTE, index));
    proxy.throttle(MEGABYTE);

    const following = follow(t, { access: { endpoints: [proxy.endpoint] } });
    const first = await following.untilSeen(1);

    assert.equal(first.changed.size, 4);
    assert.deepEqual(following.reported("etcd.disconnected"), []);
  });

  it("drops a value over 1 MiB and says how long it was", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    await writer.put("/certs/listed", Buffer.alloc(MAX_VALUE_BYTES + 1));

    const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
    await following.untilSeen(1);
    await writer.put("/certs/watched", Buffer.alloc(MAX_VALUE_BYTES + 2));
    await following.untilRevision(await writer.put("/certs/longest", Buffer.alloc(MAX_VALUE_BYTES)));

    const entries = new Map(following.seen.flatMap(({ changed }) => [...changed]));
    const sizes = [...entries].map(([key, entry]) => [key, entry?.bytes, entry?.value?.length]);
    assert.deepEqual(Object.fromEntries(sizes.map(([key, ...rest]) => [key, rest])), {
      "/certs/listed": [MAX_VALUE_BYTES + 1, undefined],
      "/certs/watched": [MAX_VALUE_BYTES + 2, undefined],
      "/certs/longest": [MAX_VALUE_BYTES, MAX_VALUE_BYTES],
    });
  });

  it("keeps of a key that is not used neither its value nor all of its length", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    const long = `/certs/${"x".repeat(1_000_000)}`;
    await writer.put(long, "listed");

    const isUsed = (key: string) => key === "/certs/used";
    const following = follow(t, { access: { endpoints: [etcd.endpoint] }, isUsed });
    await following.untilSeen(1);
    await writer.put(`${long}y`, "watched");
    await following.untilRevision(await writer.put("/certs/used", "watched"));

    const [listed = "", watched = "", ...others] = Object.keys(following.content());
    assert.deepEqual(Object.values(following.content()), [null, null, "watched"]);
    assert.match(listed, /^\/certs\/x+… \(1000007 characters, [0-9a-f]{16}\)$/);
    assert.match(watched, /^\/certs\/x+… \(1000008 characters, [0-9a-f]{16}\)$/);
    assert.ok(listed.length < 300 && watched.length < 300);
    assert.deepEqual(others, ["/certs/used"]);
  });

  it("happens again when it is asked for", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    await writer.put("/certs/a", "one");
    const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
    await following.untilSeen(1);

    following.requestResync();
    const second = await following.untilSeen(2);
    following.requestResync();
    const third = await following.untilSeen(3);

    assert.deepEqual(
      [second.cause, second.changed.size, third.cause, third.changed.size],
      ["requested", 0, "requested", 0],
    );
    assert.deepEqual(following.reported("etcd.disconnected"), []);
  });

  it("happens again when it is asked for while the consumer works", async (t) => {
    const etcd = await useEtcd(t);
    let [isWorking, mayGoOn] = [false, false];
    const work = async () => {
      isWorking = true;
      await until("the work is done", () => mayGoOn);
    };
    const following = follow(t, { access: { endpoints: [etcd.endpoint] }, work });
    await until("the consumer works", () => isWorking);

    following.requestResync();
    mayGoOn = true;
    await following.untilSeen(2);

    assert.deepEqual(following.causes(), ["start", "requested"]);
  });

  it("serves many requests at once with one listing", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    const following = follow(t, { access: { endpoints: [etcd.endpoint] } });
    await following.untilSeen(1);

    for (let count = 0; count < 50; count++) following.requestResync();
    await following.untilSeen(2);
    await following.untilRevision(await writer.put("/certs/a", "one"));

    assert.deepEqual(following.causes(), ["start", "requested", "watch"]);
  });

  it("happens again and again, and shows nothing where nothing changed", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    await writer.put("/certs/a", "one");

    const following = follow(t, { access: { endpoints: [etcd.endpoint] }, resyncEveryMs: 100 });
    await following.untilSeen(5);
    await stays(() => following.reported("etcd.disconnected").length === 0, "connected", 300);

    const [first, ...rest] = following.seen;
    assert.equal(first?.cause, "start");
    assert.deepEqual(
      [...new Set(rest.map(({ cause, changed }) => `${cause} ${changed.size}`))],
      ["periodic 0"],
    );
  });

  it("loses, repeats and reorders nothing where it happens in the middle of 1,000 puts", async (t) => {
    const etcd = await useEtcd(t);
    const writer = useWriter(t, etcd.endpoint);
    const following = follow(t, { access: { endpoints: [etcd.endpoint] }, resyncEveryMs: 50 });
    await following.untilSeen(1);

    let revision = 0;
    for (let index = 0; index < 1_000; index++) revision = await writer.put(`/certs/${index}`, String(index));
    await following.untilRevision(revision);

    assert.deepEqual(differences(following.content(), await writer.content()), []);
    assert.ok(following.causes().includes("periodic"));
    assert.deepEqual(following.breaches, []);
  });
});
