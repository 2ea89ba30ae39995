import assert from "node:assert/strict";
import { lstat, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Webhook } from "standardwebhooks";
import { type TestDaemon, useDaemon } from "../support/daemon.ts";
import type { BundlePems } from "../support/pki.ts";
import { useStand } from "../support/stand.ts";
import { until } from "../support/wait.ts";
import { writeSecret } from "../support/webhook-secret.ts";

async function setUp(t: TestContext) {
  const { etcd, folder, receiver, pki, settings } = await useStand(t);
  const { secret, secretFile } = await writeSecret(folder);
  const http = { url: receiver.url, secretFile };
  const services = [{ name: "vllm", bundles: ["inference"], notify: { http } }];
  const daemon = await useDaemon(t, folder, { ...settings, services });
  return { etcd, receiver, daemon, secret, bundle: await pki.make() };
}

async function assertFiles({ outputDir }: TestDaemon, { chain, key, ca }: BundlePems): Promise<void> {
  const dir = join(outputDir, "inference");
  const expected = { "tls.crt": chain, "tls.key": key, "tls.pem": key + chain, "ca.crt": ca };
  for (const [name, content] of Object.entries(expected)) {
    assert.equal(await readFile(join(dir, name), "utf8"), content, name);
    assert.equal(await readlink(join(dir, name)), `current/${name}`);
    const { mode } = await lstat(join(dir, "current", name));
    assert.equal((mode & 0o777).toString(8), name === "tls.key" || name === "tls.pem" ? "600" : "644", name);
  }
  assert.match(await readlink(join(dir, "current")), /^\.generations\/000001-[0-9a-f]{8}$/);
  const folders = [outputDir, dir, join(dir, ".generations"), `${dir}/current/.`];
  for (const folder of folders) assert.equal(((await lstat(folder)).mode & 0o777).toString(8), "700", folder);
}

describe("one put, one rotation", () => {
  it("turns a whole bundle in one value into files and one signed hook", async (t) => {
    const { etcd, receiver, daemon, secret, bundle } = await setUp(t);

    await etcd.put("/certs/inference.pem", bundle.whole);
    const live = await daemon.untilLive("inference");

    await assertFiles(daemon, bundle);
    assert.equal(receiver.hooks.length, 1);
    const [hook] = receiver.hooks;
    assert.ok(hook);
    const verified = new Webhook(secret).verify(hook.body, hook.headers as Record<string, string>);
    assert.deepEqual(verified, hook.event);
    assert.equal(hook.event.type, "certificate.rotated");
    assert.equal(hook.event.data.reason, "rotated");
    assert.equal(hook.event.data.digest, live.generation?.digest);
    assert.equal(hook.event.data.revision, await etcd.revision());
    assert.equal(hook.event.data.leaf?.fingerprint256, bundle.leaf.fingerprint256);
    assert.equal(hook.event.data.paths.combined, join(daemon.outputDir, "inference", "tls.pem"));
  });

  it("turns a transaction of three parts into the same files and one hook", async (t) => {
    const { etcd, receiver, daemon, bundle } = await setUp(t);

    await etcd.putTogether({
      "/certs/inference/tls.crt": bundle.chain,
      "/certs/inference/tls.key": bundle.key,
      "/certs/inference/ca.crt": bundle.ca,
    });
    await daemon.untilLive("inference");

    await assertFiles(daemon, bundle);
    assert.equal(receiver.hooks.length, 1);
    assert.equal(await daemon.metric("keyturn_reloads_total", { bundle: "inference", outcome: "live" }), 1);
  });

  it("shows a bundle's key nowhere: not in a log line, status, metric or hook", async (t) => {
    const { etcd, receiver, daemon, bundle } = await setUp(t);

    await etcd.put("/certs/inference.pem", bundle.whole);
    await daemon.untilLive("inference");
    await etcd.put("/certs/inference.pem", bundle.key + bundle.key.replace("MIG", "MIH"));
    await until(
      "the bad bundle is rejected",
      async () => (await daemon.bundle("inference"))?.state === "rejected",
    );

    const secretLines = bundle.key
      .split("\n")
      .filter((line) => line.length > 20 && !line.startsWith("-----"));
    const seen = [
      JSON.stringify(daemon.log),
      JSON.stringify(await daemon.status()),
      await (await fetch(`${daemon.adminUrl}/metrics`)).text(),
      ...receiver.hooks.map(({ body }) => body),
    ].join("\n");
    assert.ok(secretLines.length > 0);
    for (const line of secretLines) assert.ok(!seen.includes(line));
  });
});
