import assert from "node:assert/strict";
import { mkdir, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import { bundleOf } from "../support/bundle.ts";
import { fingerprintTree } from "../support/mtimes.ts";
import { createBundleMaker } from "../support/pki.ts";
import { useStore } from "../support/store.ts";

describe("start-up of the store", () => {
  let first: Bundle;
  let second: Bundle;

  before(async () => {
    const pki = await createBundleMaker();
    first = bundleOf("mesh", { mesh: (await pki.make()).whole }, 7);
    second = bundleOf("mesh", { mesh: (await pki.make()).whole }, 8);
  });

  it("finds what was live, and touches nothing", async (t) => {
    const { store, options, reopen } = await useStore(t);
    const live = await store.recordLive(await store.activate(await store.stage(first)));
    const before = await fingerprintTree(join(options.dir, "mesh"));

    const again = await reopen();

    assert.deepEqual(again.current(first.name), live);
    assert.deepEqual(again.names(), ["mesh"]);
    assert.deepEqual(await fingerprintTree(join(options.dir, "mesh")), before);
  });

  it("removes what was being written when it crashed, and goes on with what is live", async (t) => {
    const { store, options, reopen } = await useStore(t);
    const live = await store.recordLive(await store.activate(await store.stage(first)));
    const generations = join(options.dir, "mesh", ".generations");
    await mkdir(join(generations, ".new-000002-12345678"));
    await writeFile(join(generations, ".new-000002-12345678", "tls.key"), "half a k");
    await mkdir(join(generations, ".old-000000-12345678"));
    await symlink(".generations/000002-12345678", join(options.dir, "mesh", ".new-current"));
    await mkdir(join(options.dir, ".old-gone"));

    const again = await reopen();

    assert.deepEqual(again.current(first.name), live);
    assert.deepEqual(await readdir(generations), [live.id]);
    assert.ok(!(await readdir(join(options.dir, "mesh"))).includes(".new-current"));
    assert.deepEqual((await readdir(options.dir)).sort(), [".lock", "mesh"]);
  });

  it("finds a generation that was staged and not flipped to as not current", async (t) => {
    const { store, reopen } = await useStore(t);
    const live = await store.recordLive(await store.activate(await store.stage(first)));
    await store.stage(second);

    const again = await reopen();

    assert.equal(again.current(first.name)?.id, live.id);
  });

  it("finds a generation that was flipped to and not told as current, not live", async (t) => {
    const { store, reopen } = await useStore(t);
    await store.recordLive(await store.activate(await store.stage(first)));
    const flipped = await store.activate(await store.stage(second));

    const again = await reopen();

    assert.equal(again.current(first.name)?.id, flipped.id);
    assert.equal(again.current(first.name)?.state, "current");
  });

  it("makes the links that a crash after the flip left out, and removes those too many", async (t) => {
    const { store, options, reopen } = await useStore(t);
    await store.recordLive(await store.activate(await store.stage(first)));
    const dir = join(options.dir, "mesh");
    await rm(join(dir, "tls.pem"));
    await rm(join(dir, "ca.crt"));
    await symlink("current/tls.crt", join(dir, "ca.crt"));
    await symlink("current/ca.crl", join(dir, "ca.crl"));

    await reopen();

    assert.equal(await readlink(join(dir, "tls.pem")), "current/tls.pem");
    assert.equal(await readlink(join(dir, "ca.crt")), "current/ca.crt");
    assert.ok(!(await readdir(dir)).includes("ca.crl"));
  });

  for (const [what, file] of [
    ["files", "tls.key"],
    ["manifest", "manifest.json"],
  ] as const) {
    it(`removes a generation whose ${what} a power cut lost before anything pointed at it`, async (t) => {
      const { store, options, reopen } = await useStore(t);
      const live = await store.recordLive(await store.activate(await store.stage(first)));
      const staged = await store.stage(second);
      const generations = join(options.dir, "mesh", ".generations");
      await truncate(join(generations, staged.id, file), 0);

      const again = await reopen();

      assert.deepEqual(again.history(first.name), [live]);
      assert.deepEqual(await readdir(generations), [live.id]);
    });
  }

  it("keeps a generation of a version of keyturn that is to come", async (t) => {
    const { store, options, reopen } = await useStore(t);
    const live = await store.recordLive(await store.activate(await store.stage(first)));
    const { id } = await store.stage(second);
    const generations = join(options.dir, "mesh", ".generations");
    await writeFile(join(generations, id, "manifest.json"), '{"format": 2}');

    await reopen();

    assert.deepEqual((await readdir(generations)).sort(), [live.id, id]);
  });

  it("never gives a number twice, so that a name never means two contents", async (t) => {
    const { store, reopen } = await useStore(t);
    const staged = await store.stage(first);

    const again = await reopen();
    const next = await again.stage(first);

    assert.deepEqual([staged.id.slice(0, 6), next.id.slice(0, 6)], ["000001", "000002"]);
  });

  it("takes a bundle whose manifest is damaged as one that has to be written anew", async (t) => {
    const { store, options, reopen } = await useStore(t);
    const live = await store.recordLive(await store.activate(await store.stage(first)));
    await writeFile(join(options.dir, "mesh", ".generations", live.id, "manifest.json"), "{");

    const again = await reopen();
    const key = await readFile(join(options.dir, "mesh", "tls.key"), "utf8");

    assert.equal(again.current(first.name), undefined);
    assert.match(key, /PRIVATE KEY/);
  });

  it("leaves alone what is not a bundle", async (t) => {
    const { options, reopen } = await useStore(t);
    await writeFile(join(options.dir, "README"), "mine");
    await mkdir(join(options.dir, "lost+found"));

    const again = await reopen();

    assert.deepEqual(again.names(), []);
    assert.deepEqual((await readdir(options.dir)).sort(), [".lock", "README", "lost+found"]);
  });
});
