import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { describe, it } from "node:test";
import { useDaemon } from "../support/daemon.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { createBundleMaker } from "../support/pki.ts";
import { useStand } from "../support/stand.ts";
import { until } from "../support/wait.ts";

describe("bad input in etcd", () => {
  it("is reported once and counted, writes nothing, and the daemon goes on", async (t) => {
    const { etcd, folder, receiver, pki, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const [{ whole, key, ca }, other] = await Promise.all([pki.make(), pki.make()]);
    const many = await Promise.all(Array.from({ length: 65 }, () => pki.intermediate.issue(["x.local"])));
    const ignored = ["/certs/../../etc/x", "/certs/a/b/c", "/certs/A B", "/certs/a/tls.txt", "/certs/"];
    const rejected: Record<string, [value: string | Buffer, code: string]> = {
      empty: ["", "VALUE_EMPTY"],
      zeros: [Buffer.alloc(1_400_000), "VALUE_TOO_LARGE"],
      many: [many.map(({ certificatePem }) => certificatePem).join("") + key, "TOO_MANY_CERTIFICATES"],
      words: ["no PEM at all", "PEM_MISSING"],
      torn: [whole.slice(0, whole.length / 2), "PEM_MALFORMED"],
      keyless: [whole.replace(key, ""), "KEY_MISSING"],
      mismatch: [whole.replace(key, other.key), "KEY_MISMATCH"],
      junk: [
        `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${key}`,
        "CERTIFICATE_UNREADABLE",
      ],
    };

    for (const key of ignored) await etcd.put(key, whole);
    for (const [name, [value]] of Object.entries(rejected)) await etcd.put(`/certs/${name}.pem`, value);
    await etcd.put("/certs/twice", whole);
    await daemon.untilLive("twice");
    await etcd.put("/certs/twice/ca.crt", ca);
    await etcd.put("/certs/good", whole);
    await daemon.untilLive("good");

    const { bundles } = await daemon.status();
    for (const [name, [, code]] of Object.entries(rejected)) {
      const bundle = bundles.find((one) => one.name === name);
      assert.equal(bundle?.state, "rejected", name);
      assert.ok(
        bundle?.problems.some((problem) => problem.code === code),
        `${name}: ${JSON.stringify(bundle?.problems)}`,
      );
      assert.equal(await daemon.metric("keyturn_rejections_total", { bundle: name, code }), 1);
      const lines = daemon.log.filter((line) => line.event === "bundle.rejected" && line.bundle === name);
      assert.equal(lines.length, 1, name);
    }
    for (const key of ignored) {
      assert.equal(
        daemon.log.filter((line) => line.event === "key.ignored" && line.key === key).length,
        1,
        key,
      );
    }
    assert.equal(await daemon.metric("keyturn_events_total", { result: "ignored" }), ignored.length);
    // `twice` was good for a moment, and conflicts since: what is live stays.
    const twice = bundles.find(({ name }) => name === "twice");
    assert.deepEqual([twice?.state, twice?.live], ["rejected", true]);
    assert.deepEqual((await readdir(daemon.outputDir)).sort(), [".lock", "good", "twice"]);
    assert.deepEqual((await readdir(folder)).sort(), ["keyturn.yaml", "output"]);
    assert.equal(receiver.hooks.length, 2);
  });

  it("never replaces what is live, and the next good content is taken", async (t) => {
    const [etcd, folder, pki] = await Promise.all([useEtcd(t), useFolder(t), createBundleMaker()]);
    const daemon = await useDaemon(t, folder, { etcd: { endpoints: [etcd.endpoint] } });
    const [good, better] = await Promise.all([pki.make(), pki.make()]);
    await etcd.put("/certs/inference.pem", good.whole);
    const first = await daemon.untilLive("inference");

    await etcd.put("/certs/inference.pem", "oh no");
    const rejected = await until("it is rejected", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.state === "rejected" ? bundle : undefined;
    });
    await etcd.put("/certs/inference.pem", better.whole);
    const second = await until("the next is live", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.state === "live" ? bundle : undefined;
    });

    assert.equal(rejected.live, true);
    assert.equal(rejected.generation?.id, first.generation?.id);
    assert.equal(second.generation?.leaf?.fingerprint256, better.leaf.fingerprint256);
  });
});
