import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { useDaemon } from "../support/daemon.ts";
import { fingerprintTree } from "../support/mtimes.ts";
import { useStand } from "../support/stand.ts";
import { until } from "../support/wait.ts";

describe("a replayed event", () => {
  it("does nothing: 100 other spellings, an etcd restart, a resync and a daemon restart", async (t) => {
    const { etcd, folder, receiver, pki, settings: stand } = await useStand(t);
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, "token of the test\n");
    const settings = { ...stand, admin: { listen: "127.0.0.1:0", tokenFile } };
    const daemon = await useDaemon(t, folder, settings);
    const { chain, key, ca, whole } = await pki.make();
    await etcd.put("/certs/inference.pem", whole);
    await daemon.untilLive("inference");
    await until("old generations are looked after", () =>
      daemon.log.some(({ outcome }) => outcome === "live"),
    );
    const before = await fingerprintTree(join(daemon.outputDir, "inference"));

    for (let i = 0; i < 100; i++) {
      const blocks = i % 2 === 0 ? [`# copy ${i}\n`, ca, key, chain] : [key, `\r\nnote ${i}\r\n`, chain, ca];
      await etcd.put("/certs/inference.pem", blocks.join(i % 3 === 0 ? "\n\n" : ""));
    }
    const revision = await etcd.revision();
    await until("all are seen", async () => (await daemon.status()).etcd.revision === revision);
    await etcd.kill();
    await etcd.restart();
    await until(
      "the link is back",
      () => daemon.log.filter(({ msg }) => msg === "connected to etcd").length > 1,
    );
    const headers = { authorization: "Bearer token of the test" };
    const resync = await fetch(`${daemon.adminUrl}/-/resync`, { method: "POST", headers });
    assert.equal(resync.status, 202);
    await until(
      "it listed again",
      async () => (await daemon.metric("keyturn_resyncs_total", { reason: "requested" })) === 1,
    );
    assert.equal(await daemon.stop(), 0);
    const restarted = await useDaemon(t, folder, settings);
    await until("it is ready", async () => (await restarted.status()).ready);

    assert.equal(receiver.hooks.length, 1);
    assert.deepEqual(await fingerprintTree(join(daemon.outputDir, "inference")), before);
    assert.equal(await restarted.metric("keyturn_events_total", { result: "unchanged" }), 1);
  });
});
