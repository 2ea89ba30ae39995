/** What somebody plants in the output folder of a running daemon, or before it starts, as seen from outside. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useEtcd } from "../../support/etcd.ts";
import { useFolder } from "../../support/folder.ts";
import { fingerprintTree } from "../../support/mtimes.ts";
import { pictureOf } from "../../support/picture.ts";
import { createBundleMaker } from "../../support/pki.ts";
import { until } from "../../support/wait.ts";
import { useDiskStand } from "./stand.ts";

async function stateOf(folder: string): Promise<readonly string[]> {
  return [...pictureOf(folder), ...(await fingerprintTree(folder))];
}

/** An etcd with two bundles, and the settings of a daemon for them. */
async function useTwoBundles(t: TestContext) {
  const [etcd, pki] = await Promise.all([useEtcd(t), createBundleMaker()]);
  const put = async (name: string) => {
    const pems = await pki.make();
    await etcd.put(`/certs/${name}.pem`, pems.whole);
    return pems.leaf.fingerprint256;
  };
  const settings = {
    etcd: { endpoints: [etcd.endpoint], resyncEvery: "1s" },
    output: { auditEvery: "200ms" },
  };
  return { put, settings };
}

describe("a link that is planted in place of `.generations`", () => {
  it("before the start: its bundle is refused and says so, the other goes live, nothing outside is touched", async (t) => {
    const folder = await useFolder(t);
    const { put, settings } = await useTwoBundles(t);
    await Promise.all([put("mesh"), put("other")]);
    const before = await useDaemon(t, folder, settings);
    await Promise.all([before.untilLive("mesh"), before.untilLive("other")]);
    await before.stop();
    const planted = join(folder, "output", "mesh", ".generations");
    const outside = join(folder, "outside");
    renameSync(planted, outside);
    mkdirSync(join(outside, ".new-000009-12345678"));
    writeFileSync(join(outside, ".new-000009-12345678", "tls.key"), "somebody else's");
    symlinkSync(outside, planted);
    const state = await stateOf(outside);

    const daemon = await useDaemon(t, folder, settings);

    await daemon.untilLive("other");
    const message = await until("it is refused", async () => {
      const { live, lastReload } = (await daemon.bundle("mesh")) ?? {};
      return live === false ? (lastReload?.message ?? undefined) : undefined;
    });
    assert.match(message, /\/mesh\/\.generations is a symbolic link; .*: remove it$/);
    assert.deepEqual(await stateOf(outside), state);
    rmSync(planted);
    await put("mesh");
    await daemon.untilLive("mesh");
    assert.deepEqual(await stateOf(outside), state);
  });

  it("while it runs: a rotation is refused and says so, what is served stays, and the next one after it is removed goes live", async (t) => {
    const folder = await useFolder(t);
    const stand = await useDiskStand(t, folder, { output: { auditEvery: "1h" } });
    const planted = join(stand.dir, ".generations");
    const outside = join(folder, "outside");
    cpSync(planted, outside, { recursive: true });
    const state = await stateOf(outside);
    renameSync(planted, join(folder, "taken"));
    symlinkSync(outside, planted);

    await stand.put();

    const message = await until("it is refused", async () => {
      const { state, lastReload } = (await stand.daemon.bundle("inference")) ?? {};
      return state === "failed" ? (lastReload?.message ?? undefined) : undefined;
    });
    assert.match(message, /\/inference\/\.generations is a symbolic link; .*: remove it$/);
    assert.equal(await stand.service.served(stand.first.ca), stand.first.leaf.fingerprint256);
    assert.deepEqual(await stateOf(outside), state);
    rmSync(planted);
    await stand.untilServed(await stand.put());
    assert.deepEqual(await stateOf(outside), state);
    assert.deepEqual(stand.service.misled, []);
  });
});

describe("a FIFO that is planted in place of a manifest", () => {
  it("does not keep a daemon from starting, and its bundle is written anew", async (t) => {
    const folder = await useFolder(t);
    const { put, settings } = await useTwoBundles(t);
    await put("mesh");
    const before = await useDaemon(t, folder, settings);
    const id = (await before.untilLive("mesh")).generation?.id ?? "";
    await before.stop();
    const manifest = join(folder, "output", "mesh", ".generations", id, "manifest.json");
    rmSync(manifest);
    execFileSync("mknod", [manifest, "p"]);

    const daemon = await useDaemon(t, folder, settings);

    const anew = (await daemon.untilLive("mesh")).generation?.id;
    assert.notEqual(anew, id);
  });
});

describe("a folder that is planted in place of `current`", () => {
  it("makes way for the first rotation where it is empty, and is refused where it is not until it is moved", async (t) => {
    const folder = await useFolder(t);
    const { put, settings } = await useTwoBundles(t);
    for (const name of ["mesh", "other"]) {
      mkdirSync(join(folder, "output", name, "current"), { recursive: true });
    }
    const mine = join(folder, "output", "other", "current");
    writeFileSync(join(mine, "mine"), "mine");
    await Promise.all([put("mesh"), put("other")]);

    const daemon = await useDaemon(t, folder, settings);

    const live = await daemon.untilLive("mesh");
    const current = join(folder, "output", "mesh", "current");
    assert.equal(readlinkSync(current), `.generations/${live.generation?.id}`);
    const message = await until("it is refused", async () => {
      return (await daemon.bundle("other"))?.lastReload?.message ?? undefined;
    });
    assert.match(message, /other\/current is a folder with something in it, .*: move it away/);
    renameSync(mine, join(folder, "moved"));
    await put("other");
    await daemon.untilLive("other");
  });
});
