import assert from "node:assert/strict";
import { AsyncResource } from "node:async_hooks";
import { hasSubscribers } from "node:diagnostics_channel";
import { rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openClient } from "../../src/source/client.ts";
import { credentialsVersion } from "../../src/source/credentials.ts";
import { rangeOf, readHead } from "../../src/source/list.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { follow } from "../support/follow.ts";
import { useTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/wait.ts";

const CERTS = rangeOf("/certs/");

describe("a client of one session", () => {
  it("takes its sockets with it, and nobody else's", async (t) => {
    const etcd = await useEtcd(t);
    const proxy = await useTcpProxy(t, Number(new URL(etcd.endpoint).port));
    const { signal } = new AbortController();
    const clients = [await open(), await open()];
    const stranger = connect(proxy.port, "127.0.0.1");
    await until("all are connected", () => proxy.open === 3);

    clients[0]?.close();
    await until("one is gone", () => proxy.open === 2);
    await readHead(clients[1] as Awaited<ReturnType<typeof open>>, CERTS);
    clients[1]?.close();
    await until("another is gone", () => proxy.open === 1);

    assert.equal(stranger.destroyed, false);
    stranger.destroy();

    async function open() {
      const client = await openClient({ endpoints: [] }, proxy.endpoint, signal);
      await readHead(client, CERTS);
      return client;
    }
  });

  it("takes a socket with it that is opened after it was closed", async (t) => {
    const etcd = await useEtcd(t);
    const proxy = await useTcpProxy(t, Number(new URL(etcd.endpoint).port));
    await proxy.set("silent");

    // A sweep over the steps from a call to its socket.
    for (let steps = 0; steps < 30; steps++) {
      const client = await openClient({ endpoints: [] }, proxy.endpoint, new AbortController().signal);
      const call = readHead(client, CERTS);
      for (let step = 0; step < steps; step++) await undefined;
      client.close();
      await assert.rejects(call);
    }

    await until("no socket is left", () => proxy.open === 0);
  });

  it("leaves no hook behind in this process, however many there were", async (t) => {
    const etcd = await useEtcd(t);
    const before = countStores();

    const following = follow(t, { access: { endpoints: [etcd.endpoint] }, resyncEveryMs: 10 });
    await following.untilSeen(30);
    await following.stop();

    assert.deepEqual([countStores(), hasSubscribers("net.client.socket")], [before, false]);
  });
});

describe("the version of the credentials", () => {
  it("changes when a file is written, replaced, taken away or put back", async (t) => {
    const folder = await useFolder(t);
    const passwordFile = join(folder, "password");
    await writeFile(passwordFile, "one");
    const access = { endpoints: [], passwordFile };
    const versions = [await credentialsVersion(access)];

    await writeFile(passwordFile, "another");
    versions.push(await credentialsVersion(access));
    await writeFile(`${passwordFile}.new`, "anothex");
    await rename(`${passwordFile}.new`, passwordFile);
    versions.push(await credentialsVersion(access));
    await rm(passwordFile);
    versions.push(await credentialsVersion(access));
    await writeFile(passwordFile, "anothex");
    versions.push(await credentialsVersion(access));

    assert.equal(new Set(versions).size, 5);
  });

  it("stays where nothing is read and where nothing changed", async (t) => {
    const passwordFile = join(await useFolder(t), "password");
    await writeFile(passwordFile, "one");

    const versions = [{ endpoints: [] }, { endpoints: [], passwordFile }].map(async (access) => [
      await credentialsVersion(access),
      await credentialsVersion(access),
    ]);

    for (const [one, other] of await Promise.all(versions)) assert.equal(one, other);
  });
});

/** Stores that Node 20 copies into every promise: each AsyncLocalStorage in use is one. */
function countStores(): number {
  const symbols = Object.getOwnPropertySymbols(new AsyncResource("probe"));
  return symbols.filter(({ description }) => description === "kResourceStore").length;
}
