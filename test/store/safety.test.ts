import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readlink, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Bundle } from "../../src/core/bundle.ts";
import { FileStore } from "../../src/store/file-store.ts";
import { lookUpOwner } from "../../src/store/owner.ts";
import { bundleOf } from "../support/bundle.ts";
import { useFolder } from "../support/folder.ts";
import { createBundleMaker } from "../support/pki.ts";
import { modeOf, storeOptions, useStore } from "../support/store.ts";

const HOLDER = fileURLToPath(new URL("../support/hold-store.ts", import.meta.url));

describe("the output folder", () => {
  let bundle: Bundle;

  before(async () => {
    const pki = await createBundleMaker();
    bundle = bundleOf("mesh", { mesh: (await pki.make()).whole });
  });

  it("belongs to one store at a time", async (t) => {
    const { options } = await useStore(t);

    await assert.rejects(FileStore.open(options), {
      code: "STORE_LOCKED",
      message: new RegExp(`${process.pid}`),
    });
  });

  it("is free again after a close", async (t) => {
    const { store, options } = await useStore(t);
    await store.close();

    const next = await FileStore.open(options);
    await next.close();
  });

  it("is free again after the process that had it was killed", async (t) => {
    const options = storeOptions(await useFolder(t));
    const holder = spawn(process.execPath, ["--import", "tsx", HOLDER, options.dir], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => holder.kill("SIGKILL"));
    await once(holder.stdout, "data");
    await assert.rejects(FileStore.open(options), { code: "STORE_LOCKED" });

    holder.kill("SIGKILL");
    await once(holder, "exit");

    const store = await FileStore.open(options);
    await store.close();
  });

  it("is made with its parents, and locked away from others", async (t) => {
    const folder = await useFolder(t);
    const store = await FileStore.open({ ...storeOptions(folder), dir: join(folder, "a", "b", "output") });
    t.after(() => store.close());

    assert.deepEqual(await readdir(join(folder, "a", "b", "output")), [".lock"]);
  });

  for (const umask of [0o000, 0o022, 0o077]) {
    it(`lets everybody pass through the parents that are made for it, and nobody write there: umask ${umask.toString(8)}`, async (t) => {
      const folder = await useFolder(t);
      await chmod(folder, 0o711);
      const before = process.umask(umask);
      t.after(() => process.umask(before));
      const owner = { uid: undefined, gid: process.getgid?.() };
      const dir = join(folder, "a", "b", "output");

      const store = await FileStore.open({ ...storeOptions(folder, { owner }), dir });
      t.after(() => store.close());

      const modes = await Promise.all([folder, join(folder, "a"), join(folder, "a", "b"), dir].map(modeOf));
      assert.deepEqual(modes, ["711", "755", "755", "750"]);
    });
  }

  it("may not be a link", async (t) => {
    const folder = await useFolder(t);
    await mkdir(join(folder, "elsewhere"));
    await symlink("elsewhere", join(folder, "output"));

    await assert.rejects(FileStore.open(storeOptions(folder)), {
      code: "STORE_UNSAFE",
      message: /symbolic link/,
    });
  });

  for (const [what, planted] of [
    ["a bundle's folder", "mesh"],
    ["the folder of its generations", "mesh/.generations"],
  ] as const) {
    it(`is not written through a link in place of ${what}`, async (t) => {
      const { store, options } = await useStore(t);
      const elsewhere = join(options.dir, "..", "elsewhere");
      await mkdir(join(elsewhere, ".generations"), { recursive: true });
      await mkdir(join(options.dir, planted, ".."), { recursive: true });
      await symlink(elsewhere, join(options.dir, planted));

      await assert.rejects(store.stage(bundle), { code: "STORE_UNSAFE" });

      assert.deepEqual(await readdir(elsewhere, { recursive: true }), [".generations"]);
    });
  }

  it("is said to be the trouble when it cannot be written, and what is live stays", async (t) => {
    const { store, options } = await useStore(t);
    await store.recordLive(await store.activate(await store.stage(bundle)));
    const before = store.current(bundle.name);
    await writeFile(join(options.dir, "blocked"), "");

    await assert.rejects(store.stage({ ...bundle, name: "blocked" as Bundle["name"] }), {
      code: "STORE_UNSAFE",
      message: /blocked is not a folder/,
    });

    assert.deepEqual(store.current(bundle.name), before);
  });
});

describe("a generation that cannot be written", () => {
  it("leaves nothing behind, and what is live stays", async (t) => {
    const pki = await createBundleMaker();
    const [first, second] = [await pki.make(), await pki.make()].map(({ whole }) =>
      bundleOf("mesh", { mesh: whole }),
    );
    assert.ok(first && second);
    const owner: { uid: number | undefined; gid: undefined } = { uid: undefined, gid: undefined };
    const { store, options } = await useStore(t, { owner });
    const live = await store.recordLive(await store.activate(await store.stage(first)));
    // No user has this number: the call that sets the owner fails.
    owner.uid = 2 ** 40;

    await assert.rejects(store.stage(second), {
      code: "STORE_FAILED",
      message: /cannot write generation 000002-/,
    });

    assert.deepEqual(await readdir(join(options.dir, "mesh", ".generations")), [live.id]);
    assert.deepEqual(store.current(first.name), live);
  });
});

describe("a folder that somebody else has been at", () => {
  const makeLive = async (store: FileStore, bundle: Bundle) => {
    const live = await store.recordLive(await store.activate(await store.stage(bundle)));
    await store.prune(bundle.name);
    return live;
  };
  let bundles: Bundle[];

  before(async () => {
    const pki = await createBundleMaker();
    const pems = await Promise.all(Array.from({ length: 4 }, () => pki.make()));
    bundles = pems.map(({ whole }) => bundleOf("mesh", { mesh: whole }));
  });

  it("is not flipped half: what cannot be made current leaves nothing behind", async (t) => {
    const { store, options } = await useStore(t);
    const [first, second] = bundles as [Bundle, Bundle];
    const live = await makeLive(store, first);
    const current = join(options.dir, "mesh", "current");
    await rm(current);
    await mkdir(current);
    await writeFile(join(current, "mine"), "mine");

    const staged = await store.stage(second);
    await assert.rejects(store.activate(staged), { code: "STORE_UNSAFE", message: /move it away/ });

    assert.deepEqual(store.current(first.name), live);
    assert.deepEqual(await readdir(join(options.dir, "mesh", ".generations")), [live.id]);
  });

  it("has in memory what it has on disk when a link that is too many cannot be removed", async (t) => {
    const { store, options } = await useStore(t);
    const [first, second] = bundles as [Bundle, Bundle];
    await makeLive(store, first);
    await mkdir(join(options.dir, "mesh", "ca.crl"));

    const current = await store.activate(await store.stage(second));

    assert.equal(await readlink(join(options.dir, "mesh", "current")), `.generations/${current.id}`);
    assert.equal(store.current(first.name)?.id, current.id);
    await assert.rejects(store.recordLive(current), { code: "STORE_FAILED" });
    await rmdir(join(options.dir, "mesh", "ca.crl"));
    await assert.rejects(store.recordLive(current), { code: "STORE_FAILED" });
    assert.equal((await store.recordLive(current)).state, "live");
  });

  it("goes on without an old generation that is gone", async (t) => {
    const { store, options } = await useStore(t, { keep: 1 });
    const generations = join(options.dir, "mesh", ".generations");
    const first = await makeLive(store, bundles[0] as Bundle);
    await rm(join(generations, first.id), { recursive: true });

    for (const bundle of bundles.slice(1)) await makeLive(store, bundle);

    assert.equal((await readdir(generations)).length, 2);
  });

  it("is removed where it is gone already", async (t) => {
    const { store, options } = await useStore(t);
    const [first] = bundles as [Bundle];
    await makeLive(store, first);
    await rm(join(options.dir, "mesh"), { recursive: true });

    await store.remove(first.name);

    assert.equal(store.current(first.name), undefined);
  });
});

describe("owners", () => {
  it("are looked up by name or taken as numbers", async () => {
    assert.deepEqual(await lookUpOwner("root", "0"), { uid: 0, gid: 0 });
    assert.deepEqual(await lookUpOwner(undefined, undefined), { uid: undefined, gid: undefined });
  });

  it("that the machine does not know are an error of the configuration", async () => {
    await assert.rejects(lookUpOwner(undefined, "no-such-group"), {
      code: "CONFIG_INVALID",
      message: /output\.group: this machine knows no no-such-group/,
    });
  });
});
