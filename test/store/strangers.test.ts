/** A bundle's folder that belongs to another user is neither written into nor believed; other bundles go on. */
import assert from "node:assert/strict";
import { chownSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import { fingerprintTree } from "../support/mtimes.ts";
import { pictureOf } from "../support/picture.ts";
import { makeBundles, makeLive, useStore } from "../support/store.ts";

const NOBODY = 65_534;
const SKIP = process.getuid?.() === 0 ? false : "only root can give folders away";

let bundles: readonly [Bundle, Bundle];
let other: Bundle;
let name: Bundle["name"];

before(async () => {
  bundles = (await makeBundles(2)) as [Bundle, Bundle];
  [other] = (await makeBundles(1, "other")) as [Bundle];
  name = bundles[0].name;
});

async function stateOf(folder: string): Promise<readonly string[]> {
  return [...pictureOf(folder), ...(await fingerprintTree(folder))];
}

/** As chown -hR. */
function give(folder: string, uid: number): void {
  for (const path of ["", ...readdirSync(folder, { recursive: true }).map(String)]) {
    if (!lstatSync(join(folder, path)).isSymbolicLink()) chownSync(join(folder, path), uid, uid);
  }
}

describe("a folder of another user", { skip: SKIP }, () => {
  for (const [what, planted] of [
    ["a bundle's folder", "mesh"],
    ["the folder of its generations", "mesh/.generations"],
  ] as const) {
    it(`in place of ${what} is not written into, and other bundles go on`, async (t) => {
      const { store, options } = await useStore(t);
      const path = join(options.dir, planted);
      mkdirSync(path, { recursive: true, mode: 0o777 });
      writeFileSync(join(path, ".new-mine"), "mine");
      give(path, NOBODY);
      const before = await stateOf(path);

      await assert.rejects(store.stage(bundles[0]), {
        code: "STORE_UNSAFE",
        message: `${path} belongs to user ${NOBODY}, who could change what keyturn writes there: remove it, or give it to user 0`,
      });

      assert.deepEqual(await stateOf(path), before);
      assert.equal((await makeLive(store, other)).state, "live");
      rmSync(path, { recursive: true });
      assert.equal((await makeLive(store, bundles[0])).state, "live");
    });
  }

  it("is not believed at start, whatever it says is live, until it is given back", async (t) => {
    const { store, options, reopen } = await useStore(t);
    const dir = join(options.dir, name);
    const live = await makeLive(store, bundles[0]);
    await makeLive(store, other);
    mkdirSync(join(dir, ".generations", ".new-000009-12345678"));
    give(dir, NOBODY);
    const before = await stateOf(dir);

    const again = await reopen();

    assert.equal(again.current(name), undefined);
    assert.equal(again.current(other.name)?.state, "live");
    assert.deepEqual(await stateOf(dir), before);
    give(dir, 0);
    assert.deepEqual((await reopen()).current(name), live);
  });

  it("is one of keyturn's where that user is the owner that was configured", async (t) => {
    const { store, reopen } = await useStore(t, { owner: { uid: NOBODY, gid: NOBODY } });
    const live = await makeLive(store, bundles[0]);

    const again = await reopen();

    assert.deepEqual(again.current(name), live);
    assert.equal((await makeLive(again, bundles[1])).state, "live");
  });

  it("is one of keyturn's where the whole output folder is that user's, as after a change of `output.owner`", async (t) => {
    const { store, options, reopen } = await useStore(t);
    const live = await makeLive(store, bundles[0]);
    give(options.dir, NOBODY);

    const again = await reopen();

    assert.deepEqual(again.current(name), live);
    assert.equal((await makeLive(again, bundles[1])).state, "live");
  });
});

describe("what is planted under a name that keyturn is about to use", () => {
  it("is replaced where it is a link, and what that leads to stays as it is", async (t) => {
    const { store, options } = await useStore(t);
    const live = await makeLive(store, bundles[0]);
    const outside = join(options.dir, "..", "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "tls.key"), "somebody else's");
    const generations = join(options.dir, name, ".generations");
    const next = `000002-${bundles[1].digest.slice("sha256:".length, "sha256:".length + 8)}`;
    const names = [
      join(generations, `.new-${next}`),
      join(generations, ".new-manifest.json"),
      join(generations, `.old-${live.id}`),
      join(options.dir, name, ".new-current"),
    ];
    for (const path of names) symlinkSync(outside, path);
    const before = await stateOf(outside);

    const second = await makeLive(store, bundles[1]);

    assert.deepEqual([second.id, second.state], [next, "live"]);
    assert.deepEqual(await stateOf(outside), before);
    assert.deepEqual(await store.audit(name), []);
  });
});
