/** The daemon outlives whatever a certificate does to the process that proves it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useDaemon } from "../support/daemon.ts";
import { childrenOf } from "../support/process.ts";
import { useStand } from "../support/stand.ts";
import { until } from "../support/wait.ts";

describe("the process that proves bundles", () => {
  it("may end by SIGSEGV in the middle of a check: the check is made once more", async (t) => {
    const { etcd, folder, pki, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const [first, second] = [await pki.make(), await pki.make()];
    await etcd.put("/certs/inference.pem", first.whole);
    await daemon.untilLive("inference");
    const { pid = 0 } = daemon.process;
    const [child = 0] = childrenOf(pid);

    process.kill(child, "SIGSTOP");
    await etcd.put("/certs/inference.pem", second.whole);
    await until("it is being checked", () =>
      daemon.metric("keyturn_etcd_revision").then((revision) => revision >= 3),
    );
    process.kill(child, "SIGSEGV");
    process.kill(child, "SIGCONT");
    await until("it is live", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.live && bundle.generation?.leaf?.fingerprint256 === second.leaf.fingerprint256;
    });

    assert.equal(await daemon.metric("keyturn_handshake_restarts_total"), 1);
    assert.deepEqual([daemon.process.exitCode, daemon.process.signalCode], [null, null]);
  });

  it("may hang: it is replaced, and the daemon answers meanwhile", async (t) => {
    const { etcd, folder, pki, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    await etcd.put("/certs/inference.pem", (await pki.make()).whole);
    await daemon.untilLive("inference");
    const { pid = 0 } = daemon.process;
    const [child = 0] = childrenOf(pid);
    const next = await pki.make();

    process.kill(child, "SIGSTOP");
    await etcd.put("/certs/inference.pem", next.whole);
    const health = await fetch(`${daemon.adminUrl}/healthz`);
    await until("it is live", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.live && bundle.generation?.leaf?.fingerprint256 === next.leaf.fingerprint256;
    });

    assert.equal(health.status, 200);
    assert.ok(!childrenOf(pid).includes(child));
  });
});
