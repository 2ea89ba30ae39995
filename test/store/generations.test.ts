import assert from "node:assert/strict";
import { lstat, readdir, readFile, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import type { FileStore } from "../../src/store/file-store.ts";
import { bundleOf } from "../support/bundle.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";
import { useStore } from "../support/store.ts";

async function modeOf(path: string): Promise<string> {
  return ((await lstat(path)).mode & 0o7777).toString(8);
}

async function makeLive(store: FileStore, bundle: Bundle) {
  const current = await store.activate(await store.stage(bundle));
  const live = await store.recordLive(current);
  await store.prune(bundle.name);
  return live;
}

describe("generations on disk", () => {
  let pems: BundlePems[];
  let bundles: Bundle[];

  before(async () => {
    const pki = await createBundleMaker();
    pems = await Promise.all(Array.from({ length: 8 }, () => pki.make()));
    bundles = pems.map(({ whole }, i) => bundleOf("mesh", { mesh: whole }, i + 1));
  });

  it("are staged without anybody being pointed at them", async (t) => {
    const { store, options } = await useStore(t);
    const [bundle] = bundles as [Bundle];

    const staged = await store.stage(bundle);

    assert.deepEqual(await readdir(join(options.dir, "mesh")), [".generations"]);
    assert.deepEqual(await readdir(join(options.dir, "mesh", ".generations")), [staged.id]);
    assert.equal(store.current(bundle.name), undefined);
  });

  it("become current by one flip, with links that never change", async (t) => {
    const { store, options } = await useStore(t);
    const [first, second] = bundles as [Bundle, Bundle];
    const dir = join(options.dir, "mesh");
    await makeLive(store, first);
    const link = await lstat(join(dir, "tls.pem"));

    await makeLive(store, second);

    assert.equal(await readFile(join(dir, "tls.crt"), "utf8"), pems[1]?.chain);
    assert.equal(await readlink(join(dir, "current")), `.generations/${store.current(second.name)?.id}`);
    assert.equal((await lstat(join(dir, "tls.pem"))).ino, link.ino);
    assert.deepEqual((await readdir(dir)).sort(), [
      ".generations",
      "ca.crt",
      "current",
      "tls.crt",
      "tls.key",
      "tls.pem",
    ]);
  });

  it("keep an older one whole for a reader that resolved the link before", async (t) => {
    const { store, options } = await useStore(t);
    await makeLive(store, bundles[0] as Bundle);
    const resolved = await realpath(join(options.dir, "mesh", "current"));

    for (const bundle of bundles.slice(1, 6)) await makeLive(store, bundle);

    assert.equal(await readFile(join(resolved, "tls.pem"), "utf8"), `${pems[0]?.key}${pems[0]?.chain}`);
  });

  it("stay in the number that `keep` says, besides the current one", async (t) => {
    const { store, options } = await useStore(t, { keep: 2 });

    for (const bundle of bundles) await makeLive(store, bundle);

    const left = (await readdir(join(options.dir, "mesh", ".generations"))).sort();
    assert.deepEqual(
      left.map((id) => id.slice(0, 6)),
      ["000006", "000007", "000008"],
    );
  });

  it("keep the last one that was live, however many came after it and were not", async (t) => {
    const { store, options } = await useStore(t, { keep: 1 });
    await makeLive(store, bundles[0] as Bundle);

    for (const bundle of bundles.slice(1, 5)) {
      await store.activate(await store.stage(bundle));
      await store.prune(bundle.name);
    }

    const left = (await readdir(join(options.dir, "mesh", ".generations"))).sort();
    assert.deepEqual(
      left.map((id) => id.slice(0, 6)),
      ["000001", "000004", "000005"],
    );
  });

  it("drop the link of a file that the new one does not have", async (t) => {
    const { store, options } = await useStore(t);
    const [with_, without] = pems as [BundlePems, BundlePems];
    await makeLive(store, bundleOf("mesh", { mesh: with_.whole }));

    await makeLive(store, bundleOf("mesh", { "mesh/tls.crt": without.chain, "mesh/tls.key": without.key }));

    assert.ok(!(await readdir(join(options.dir, "mesh"))).includes("ca.crt"));
    assert.equal(store.paths(bundles[0]?.name as Bundle["name"]).ca, null);
  });

  it("of a trust bundle have only what is trusted", async (t) => {
    const { store, options } = await useStore(t);

    await makeLive(store, bundleOf("roots", { "roots/ca.crt": pems[0]?.ca ?? "" }));

    assert.deepEqual((await readdir(join(options.dir, "roots"))).sort(), [
      ".generations",
      "ca.crt",
      "current",
    ]);
  });

  for (const umask of [0o000, 0o077]) {
    it(`have their modes under umask ${umask.toString(8).padStart(3, "0")}`, async (t) => {
      const before = process.umask(umask);
      t.after(() => process.umask(before));
      const gid = process.getgid?.() ?? 0;
      const { store, options } = await useStore(t, { mode: 0o640, owner: { uid: undefined, gid } });

      await makeLive(store, bundles[0] as Bundle);

      const current = await realpath(join(options.dir, "mesh", "current"));
      const modes = await Promise.all(
        [options.dir, join(options.dir, "mesh"), join(current, ".."), current].map(modeOf),
      );
      assert.deepEqual(modes, ["750", "750", "750", "750"]);
      const files = ["tls.key", "tls.pem", "tls.crt", "ca.crt", "manifest.json"];
      assert.deepEqual(await Promise.all(files.map((name) => modeOf(join(current, name)))), [
        "640",
        "640",
        "644",
        "644",
        "644",
      ]);
    });
  }

  it("go away with their bundle", async (t) => {
    const { store, options } = await useStore(t);
    const [bundle] = bundles as [Bundle];
    await makeLive(store, bundle);

    await store.remove(bundle.name);

    assert.deepEqual(await readdir(options.dir), [".lock"]);
    assert.equal(store.current(bundle.name), undefined);
  });
});
