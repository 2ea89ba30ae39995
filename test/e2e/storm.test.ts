import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Etcd3 } from "etcd3";
import { useDaemon } from "../support/daemon.ts";
import { useStand } from "../support/stand.ts";
import { until } from "../support/wait.ts";

describe("1,000 puts to one bundle as fast as etcd takes them", () => {
  it("end with the last one live, with far fewer hooks, and never two reloads at a time", async (t) => {
    const { etcd, folder, receiver, pki, settings } = await useStand(t);
    // With room for several bundles at a time, it is the slot that keeps one bundle from overlapping.
    const queue = { concurrency: 4 };
    const log = { level: "info" };
    const daemon = await useDaemon(t, folder, { ...settings, queue, log });
    const variants = await Promise.all(Array.from({ length: 50 }, () => pki.make()));
    const client = new Etcd3({ hosts: etcd.endpoint });
    t.after(() => client.close());

    const puts = Array.from({ length: 1_000 }, (_, i) => variants[i % variants.length]?.whole ?? "");
    await Promise.all(puts.slice(1).map((value) => client.put("/certs/inference.pem").value(value)));
    const last = variants[7];
    assert.ok(last);
    await client.put("/certs/inference.pem").value(last.whole);
    const revision = await etcd.revision();
    await until("the last one is live", async () => {
      const bundle = await daemon.bundle("inference");
      const isLast = bundle?.generation?.leaf?.fingerprint256 === last.leaf.fingerprint256;
      return bundle?.state === "live" && isLast && (await daemon.status()).etcd.revision === revision;
    });

    assert.equal(receiver.mostAtOnce(), 1);
    assert.ok(receiver.hooks.length < puts.length / 3, `${receiver.hooks.length} hooks`);
    assert.equal(receiver.hooks.at(-1)?.event.data.leaf?.fingerprint256, last.leaf.fingerprint256);
  });
});
