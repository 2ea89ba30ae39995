import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { type TestEtcd, useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { differences, follow } from "../support/follow.ts";
import { useTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/wait.ts";
import { useWriter } from "../support/writer.ts";

const run = promisify(execFile);

describe("a revision that etcd no longer has", () => {
  it("is caught up with by listing, deletes included", async (t) => {
    const { writer, following, cutOff, reconnect } = await useFollowed(t);
    await following.untilRevision(
      await writer.together({ "/certs/kept": "old", "/certs/changed": "old", "/certs/gone": "old" }),
    );

    await cutOff();
    await writer.put("/certs/changed", "new");
    await writer.delete("/certs/gone");
    const revision = await writer.put("/certs/new", "new");
    await writer.compact();
    await reconnect();
    await following.untilRevision(revision);

    const last = following.seen.at(-1);
    const changed = [...(last?.changed ?? [])].map(([key, entry]) => [key, entry?.value?.toString()]);
    assert.equal(last?.cause, "compacted");
    assert.deepEqual(Object.fromEntries(changed), {
      "/certs/changed": "new",
      "/certs/gone": undefined,
      "/certs/new": "new",
    });
    assert.deepEqual(following.content(), {
      "/certs/kept": "old",
      "/certs/changed": "new",
      "/certs/new": "new",
    });
    assert.deepEqual(following.breaches, []);
  });

  it("is not missed where all of it was seen", async (t) => {
    const { writer, following, cutOff, reconnect } = await useFollowed(t);
    await following.untilRevision(await writer.put("/certs/a", "one"));

    await cutOff();
    await writer.compact();
    await reconnect();
    await following.untilRevision(await writer.put("/certs/a", "two"));

    assert.ok(!following.causes().includes("compacted"));
    assert.deepEqual(following.content(), { "/certs/a": "two" });
    assert.deepEqual(following.breaches, []);
  });

  it("loses nothing of 1,500 puts while etcd compacts after each few and the link is cut", async (t) => {
    const { writer, following, proxy } = await useFollowed(t);

    let revision = 0;
    for (let index = 0; index < 1_500; index++) {
      revision = await writer.put(`/certs/${index % 200}`, String(index));
      if (index % 20 === 0) await writer.delete(`/certs/${(index + 7) % 200}`);
      if (index % 25 === 0) await writer.compact();
      if (index % 60 === 0) proxy.cut();
    }
    await following.untilRevision(revision);

    assert.deepEqual(differences(following.content(), await writer.content()), []);
    assert.deepEqual(following.breaches, []);
  });
});

describe("an etcd that is another one than before", () => {
  it("is listed where its data was wiped", async (t) => {
    const { writer, following, cutOff, reconnect } = await useFollowed(t);
    await writer.put("/certs/kept", "same");
    await following.untilRevision(await writer.put("/certs/gone", "old"));
    const wiped = await useEtcd(t);
    const revision = await useWriter(t, wiped.endpoint).put("/certs/kept", "same");

    await cutOff();
    await reconnect(wiped);
    await until("it is listed", () => following.causes().includes("replaced"));

    const last = following.seen.at(-1);
    assert.deepEqual([last?.cause, last?.revision], ["replaced", revision]);
    assert.deepEqual(following.content(), { "/certs/kept": "same" });
    assert.deepEqual(following.breaches, []);
  });

  it("is listed where its revisions are further on than before", async (t) => {
    const { writer, following, cutOff, reconnect } = await useFollowed(t);
    await following.untilRevision(await writer.put("/certs/a", "one"));
    const other = await useEtcd(t);
    const otherWriter = useWriter(t, other.endpoint);
    for (let index = 0; index < 20; index++) await otherWriter.put("/certs/b", String(index));

    await cutOff();
    await reconnect(other);
    await until("it is listed", () => following.causes().includes("replaced"));
    await following.untilRevision(await otherWriter.put("/certs/b", "watched"));

    assert.deepEqual(following.content(), { "/certs/b": "watched" });
  });

  it("is listed where it was restored to an earlier revision, and followed from there", async (t) => {
    const { etcd, writer, following, cutOff, reconnect } = await useFollowed(t);
    await following.untilRevision(await writer.put("/certs/kept", "old"));
    const dataDir = await restoreCopy(t, etcd);
    await writer.put("/certs/kept", "new");
    const lost = await writer.put("/certs/lost", "new");
    await following.untilRevision(lost);

    await cutOff();
    const restored = await useEtcd(t, ["--data-dir", dataDir]);
    await reconnect(restored);
    await until("it is listed", () => following.causes().includes("replaced"));
    const revision = await useWriter(t, restored.endpoint).put("/certs/after", "put");
    await following.untilContent({ "/certs/kept": "old", "/certs/after": "put" });

    assert.ok(revision < lost);
    assert.equal(following.seen.at(-1)?.revision, revision);
    assert.deepEqual(following.breaches, []);
  });
});

async function useFollowed(t: TestContext) {
  const etcd = await useEtcd(t);
  const writer = useWriter(t, etcd.endpoint);
  const proxy = await useTcpProxy(t, portOf(etcd));
  const following = follow(t, { access: { endpoints: [proxy.endpoint] } });
  await following.untilSeen(1);
  const cutOff = async () => {
    await proxy.set("refuse");
    await until("it is cut off", () => following.reported("etcd.disconnected").length > 0);
  };
  const reconnect = async (to = etcd) => {
    proxy.pointAt(portOf(to));
    await proxy.set("pass");
  };
  return { etcd, writer, proxy, following, cutOff, reconnect };
}

/** Restores a backup of the store as it is now into a data folder. */
async function restoreCopy(t: TestContext, etcd: TestEtcd): Promise<string> {
  const folder = await useFolder(t);
  const backup = join(folder, "backup");
  const dataDir = join(folder, "restored");
  const env = { ...process.env, ETCDCTL_API: "3" };
  await run(etcd.etcdctl, ["--endpoints", etcd.endpoint, "snapshot", "save", backup], { env });
  await run(etcd.etcdctl, ["snapshot", "restore", backup, "--data-dir", dataDir], { env });
  return dataDir;
}

function portOf({ endpoint }: TestEtcd): number {
  return Number(new URL(endpoint).port);
}
