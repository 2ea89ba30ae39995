/** Services that do not take a new certificate, for real: what they serve afterwards is seen by a handshake from outside. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { bundleOf } from "../support/bundle.ts";
import { type TestDaemon, useDaemon } from "../support/daemon.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { type Mood, useMoodyService } from "../support/moody-service.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";
import { stays, until } from "../support/wait.ts";

const KEY = "/certs/inference.pem";

/** A daemon, a service with a mood that serves a first certificate, and a second one to come. */
async function setUp(t: TestContext, mood: Mood) {
  const [etcd, folder, pki] = await Promise.all([useEtcd(t), useFolder(t), createBundleMaker()]);
  const [first, second] = await Promise.all([pki.make(), pki.make()]);
  const other = await pki.make();
  await writeFile(join(folder, "other.pem"), other.chain + other.key, { mode: 0o600 });
  const bundleDir = join(folder, "output", "inference");
  const service = await useMoodyService(t, { bundleDir, mood, folder });
  const http = { url: service.hookUrl, timeout: "1s", attempts: 2 };
  const verify = { tls: { address: service.tlsAddress, within: mood === "late" ? "20s" : "2s" } };
  const services = [{ name: "engine", bundles: ["inference"], notify: { http }, verify }];
  const settings = { etcd: { endpoints: [etcd.endpoint] }, services };
  const daemon = await useDaemon(t, folder, settings);
  await etcd.put(KEY, first.whole);
  await daemon.untilLive("inference");
  assert.equal(await service.served(), fingerprintOf(first));
  return { etcd, daemon, service, first, second, bundleDir, pki, folder, settings };
}

function fingerprintOf({ leaf }: BundlePems): string {
  return new X509Certificate(leaf.certificatePem).fingerprint256;
}

async function untilBack(daemon: TestDaemon): Promise<void> {
  await until("it is rolled back, and live again", async () => {
    const bundle = await daemon.bundle("inference");
    const isBack = bundle?.quarantine && ["rolledBack", "live"].includes(bundle.lastReload?.outcome ?? "");
    return isBack && bundle.state === "rolledBack" && bundle.live ? true : undefined;
  });
}

const STORIES: readonly (readonly [Mood, string])[] = [
  ["deaf", "answers 200 and keeps the old certificate"],
  ["third", "serves a third certificate"],
  ["dies", "dies on reload"],
  ["hangs", "hangs"],
];

describe("a service that", () => {
  for (const [mood, story] of STORIES) {
    it(`${story} serves the previous generation again`, async (t) => {
      const { etcd, daemon, service, first, second, bundleDir } = await setUp(t, mood);

      await etcd.put(KEY, second.whole);
      await untilBack(daemon);
      await until("the service serves it", async () => (await service.served()) === fingerprintOf(first));

      assert.ok((await readFile(join(bundleDir, "tls.crt"), "utf8")).includes(first.leaf.certificatePem));
      assert.equal(
        await daemon.metric("keyturn_rollbacks_total", { bundle: "inference", reason: "service" }),
        1,
      );
      assert.equal(
        await daemon.metric("keyturn_served_matches", { service: "engine", bundle: "inference" }),
        1,
      );
      assert.equal((await daemon.status()).ready, true);
      assert.ok(daemon.log.some(({ event }) => event === "rollback.started"));
    });
  }

  it("refuses connections for a while and then comes up is live with the new certificate", async (t) => {
    const { etcd, daemon, service, second } = await setUp(t, "late");

    await etcd.put(KEY, second.whole);
    await until("the service serves it", async () => (await service.served()) === fingerprintOf(second));
    await until("it is live", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.live && bundle.generation?.leaf?.fingerprint256 === fingerprintOf(second);
    });

    assert.equal(await daemon.metric("keyturn_rollbacks_total", { bundle: "inference" }), 0);
  });
});

describe("content that was rolled back", () => {
  it("does nothing when it is put again, and the earlier content is still live", async (t) => {
    const { etcd, daemon, second, bundleDir } = await setUp(t, "deaf");
    await etcd.put(KEY, second.whole);
    await untilBack(daemon);
    const generations = () => daemon.bundle("inference").then((bundle) => bundle?.generation?.id);
    const before = await generations();

    await etcd.put(KEY, `# put again\n${second.whole}`);
    await until("it is seen", async () => (await daemon.bundle("inference"))?.state === "quarantined");
    await stays(async () => (await generations()) === before, "the generation", 500);

    assert.equal(await daemon.metric("keyturn_rollbacks_total", { bundle: "inference" }), 1);
    assert.ok(!(await readFile(join(bundleDir, "tls.crt"), "utf8")).includes(second.leaf.certificatePem));
  });

  it("stays set aside over a restart of the daemon", async (t) => {
    const { etcd, daemon, service, first, second, folder, settings } = await setUp(t, "deaf");
    await etcd.put(KEY, second.whole);
    await untilBack(daemon);

    await daemon.stop();
    const restarted = await useDaemon(t, folder, settings);
    await until("it is seen", async () => (await restarted.bundle("inference"))?.state === "quarantined");

    assert.equal(await restarted.metric("keyturn_rollbacks_total", { bundle: "inference" }), 0);
    assert.equal(await service.served(), fingerprintOf(first));
  });

  it("makes way for newer content at once", async (t) => {
    const { etcd, daemon, service, first, second, pki } = await setUp(t, "hangs");
    const third = await pki.make();

    await etcd.put(KEY, second.whole);
    await until("the service is told", () => daemon.log.some(({ event }) => event === "rollback.started"));
    await etcd.put(KEY, third.whole);

    // The service takes no rotation at all: what counts is that the third had its turn, and the good one is back.
    const { digest } = bundleOf("inference", { "inference.pem": third.whole });
    await until("the third was tried and given up", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.quarantine?.digest === digest && bundle.live;
    });
    assert.equal(await service.served(), fingerprintOf(first));
  });
});
