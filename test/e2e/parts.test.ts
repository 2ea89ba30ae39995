import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { useDaemon } from "../support/daemon.ts";
import { useStand } from "../support/stand.ts";
import { stays, until } from "../support/wait.ts";

async function setUp(t: TestContext, settle = "2s") {
  const { etcd, folder, receiver, pki, settings } = await useStand(t);
  const daemon = await useDaemon(t, folder, { ...settings, checks: { settle } });
  const first = await pki.make();
  await etcd.putTogether({ "/certs/inference/tls.crt": first.chain, "/certs/inference/tls.key": first.key });
  await daemon.untilLive("inference");
  const onDisk = () => readFile(join(daemon.outputDir, "inference", "tls.pem"), "utf8");
  return { etcd, receiver, pki, daemon, first, onDisk };
}

describe("parts that are put one after another", () => {
  it("are held until they fit: no reload in between, one after", async (t) => {
    const { etcd, receiver, pki, daemon, first, onDisk } = await setUp(t);
    const next = await pki.make();

    await etcd.put("/certs/inference/tls.crt", next.chain);
    await until("it waits", async () => (await daemon.bundle("inference"))?.state === "waiting");
    await stays(async () => (await onDisk()) === first.key + first.chain, "the first pair is on disk", 1_000);
    assert.equal(receiver.hooks.length, 1);
    await etcd.put("/certs/inference/tls.key", next.key);
    await until("the next pair is live", async () => (await daemon.bundle("inference"))?.state === "live");

    assert.equal(await onDisk(), next.key + next.chain);
    assert.equal(receiver.hooks.length, 2);
  });

  it("are reported when they never fit, and what is live stays", async (t) => {
    const { etcd, receiver, pki, daemon, first, onDisk } = await setUp(t, "300ms");
    const next = await pki.make();

    await etcd.put("/certs/inference/tls.crt", next.chain);
    const overdue = await until("it is overdue", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.overdue ? bundle : undefined;
    });

    assert.equal(overdue.state, "waiting");
    assert.equal(overdue.live, true);
    assert.deepEqual(
      overdue.problems.map(({ code }) => code),
      ["KEY_MISMATCH"],
    );
    const warned = daemon.log.filter(({ msg }) => msg === "bundle still waits for its parts");
    assert.equal(warned.length, 1);
    assert.equal(await onDisk(), first.key + first.chain);
    assert.equal(receiver.hooks.length, 1);
  });

  it("keep what is live when one of them is deleted", async (t) => {
    const { etcd, receiver, daemon, first, onDisk } = await setUp(t, "100ms");

    await etcd.ctl(["del", "/certs/inference/tls.key"]);
    await until("it is overdue", async () => (await daemon.bundle("inference"))?.overdue);

    assert.equal(await onDisk(), first.key + first.chain);
    assert.equal(receiver.hooks.length, 1);
  });
});
