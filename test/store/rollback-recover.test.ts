import assert from "node:assert/strict";
import { copyFile, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import type { Generation } from "../../src/core/generation.ts";
import { fingerprintTree } from "../support/mtimes.ts";
import { makeBundles, makeCurrent, makeLive, type TestStore, useStore } from "../support/store.ts";

const WHY = { cause: "service", why: "nginx serves another certificate" } as const;

let bundles: [Bundle, Bundle, Bundle];
let name: Bundle["name"];

before(async () => {
  bundles = (await makeBundles(3)) as [Bundle, Bundle, Bundle];
  name = bundles[0].name;
});

/** As a crash leaves it between the decision to go back and the flip. */
async function crashBeforeFlip({ store, options }: TestStore, from: Generation, to: Generation) {
  await store.rollBack(name, to.id, WHY);
  const link = join(options.dir, "mesh", "current");
  await rm(link);
  await symlink(`.generations/${from.id}`, link);
}

describe("start-up after a crash on the way back", () => {
  it("finishes the flip that was decided, and has the services told", async (t) => {
    const at = await useStore(t);
    const first = await makeLive(at.store, bundles[0]);
    const second = await makeCurrent(at.store, bundles[1]);
    await crashBeforeFlip(at, second, first);

    const again = await at.reopen();

    assert.deepEqual(again.current(name), { ...first, state: "current" });
    assert.equal(await readlink(join(at.options.dir, "mesh", "current")), `.generations/${first.id}`);
    assert.equal(again.quarantined(name, second.digest)?.rollback?.why, WHY.why);
    assert.deepEqual(await again.audit(name), []);
  });

  it("finishes it too where what was given up had been live", async (t) => {
    const at = await useStore(t);
    const first = await makeLive(at.store, bundles[0]);
    const second = await makeLive(at.store, bundles[1]);
    await crashBeforeFlip(at, second, first);

    assert.deepEqual((await at.reopen()).current(name), { ...first, state: "current" });
  });

  it("has the services told once more where only that was left to do, and writes nothing", async (t) => {
    const at = await useStore(t);
    const first = await makeLive(at.store, bundles[0]);
    await makeCurrent(at.store, bundles[1]);
    await at.store.rollBack(name, first.id, WHY);
    const before = await fingerprintTree(join(at.options.dir, "mesh"));

    const again = await at.reopen();

    assert.deepEqual(again.current(name), { ...first, state: "current" });
    assert.deepEqual(await fingerprintTree(join(at.options.dir, "mesh")), before);
    assert.equal((await again.recordLive({ ...first, state: "current" })).state, "live");
    assert.equal((await at.reopen()).current(name)?.state, "live");
  });

  for (const [what, damage] of [
    ["is gone", (folder: string) => rm(folder, { recursive: true })],
    ["is damaged", (folder: string) => truncate(join(folder, "tls.key"), 10)],
  ] as const) {
    it(`goes to the newest other one that was live where the one that was decided for ${what}`, async (t) => {
      const at = await useStore(t);
      const first = await makeLive(at.store, bundles[0]);
      const second = await makeLive(at.store, bundles[1]);
      const third = await makeCurrent(at.store, bundles[2]);
      await crashBeforeFlip(at, third, second);
      await damage(join(at.options.dir, "mesh", ".generations", second.id));

      const again = await at.reopen();

      assert.deepEqual(again.current(name), { ...first, state: "current" });
      assert.equal(again.quarantined(name, third.digest)?.rollback?.to, first.id);
      await again.recordLive(first);
      assert.ok(again.quarantined(name, third.digest), "what was put back lifts no quarantine");
    });

    it(`stays where it is where that ${what} and there is no other, and tries again`, async (t) => {
      const at = await useStore(t);
      const first = await makeLive(at.store, bundles[0]);
      const second = await makeCurrent(at.store, bundles[1]);
      await crashBeforeFlip(at, second, first);
      await damage(join(at.options.dir, "mesh", ".generations", first.id));

      const again = await at.reopen();

      const { changedAt = "", ...current } = again.current(name) ?? {};
      assert.deepEqual({ ...current, changedAt: second.changedAt }, second);
      assert.ok(changedAt >= second.changedAt);
      assert.equal(again.quarantined(name, second.digest), undefined);
      const live = await again.recordLive(second);
      assert.deepEqual([live.state, live.rollback], ["live", null]);
      assert.deepEqual((await at.reopen()).current(name), live);
    });
  }

  it("does not go back from new content that came after it", async (t) => {
    const at = await useStore(t);
    const first = await makeLive(at.store, bundles[0]);
    await makeCurrent(at.store, bundles[1]);
    await at.store.rollBack(name, first.id, WHY);
    const third = await makeCurrent(at.store, bundles[2]);

    assert.deepEqual((await at.reopen()).current(name), third);
  });
});

describe("a manifest", () => {
  const manifestOf = (at: TestStore, { id }: Generation) =>
    join(at.options.dir, "mesh", ".generations", id, "manifest.json");

  async function rewrite(path: string, change: (manifest: Record<string, unknown>) => object): Promise<void> {
    await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, "utf8")))));
  }

  it("of an earlier version is read, and is as it should be", async (t) => {
    const at = await useStore(t);
    const live = await makeLive(at.store, bundles[0]);
    await rewrite(manifestOf(at, live), ({ rollback: _, warned: __, ...older }) => older);

    const again = await at.reopen();

    assert.deepEqual(again.current(name), live);
    assert.deepEqual(again.warned(name), []);
    assert.deepEqual(await again.audit(name), []);
  });

  for (const [what, change] of [
    ["of another generation", (manifest: object) => ({ ...manifest, id: "000009-12345678" })],
    ["with a file of another name", (manifest: object) => ({ ...manifest, files: { "../../x": {} } })],
    ["that says rolled back and not how", (manifest: object) => ({ ...manifest, state: "rolledBack" })],
    ["of a version to come", (manifest: object) => ({ ...manifest, format: 2 })],
  ] as const) {
    it(`${what} is none`, async (t) => {
      const at = await useStore(t);
      const live = await makeLive(at.store, bundles[0]);
      await rewrite(manifestOf(at, live), change);

      assert.equal((await at.reopen()).current(name), undefined);
    });
  }

  it("that was copied to another generation's folder is none there", async (t) => {
    const at = await useStore(t);
    const first = await makeLive(at.store, bundles[0]);
    const second = await makeLive(at.store, bundles[1]);
    await copyFile(manifestOf(at, second), manifestOf(at, first));

    assert.deepEqual((await at.reopen()).history(name), [second]);
  });

  it("that was half written is not left lying about", async (t) => {
    const at = await useStore(t);
    const live = await makeLive(at.store, bundles[0]);
    const generations = join(at.options.dir, "mesh", ".generations");
    await writeFile(join(generations, ".new-manifest.json"), "{");

    await at.reopen();

    assert.deepEqual(await readdir(generations), [live.id]);
  });
});
