/** What somebody plants in the output folder leads keyturn nowhere: nothing outside is read, written, chmodded or removed. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import type { FileStore } from "../../src/store/file-store.ts";
import { fingerprintTree } from "../support/mtimes.ts";
import { pictureOf } from "../support/picture.ts";
import { makeBundles, makeCurrent, makeLive, useStore } from "../support/store.ts";

let bundles: readonly [Bundle, Bundle, Bundle, Bundle];
let other: Bundle;
let name: Bundle["name"];

before(async () => {
  bundles = (await makeBundles(4)) as [Bundle, Bundle, Bundle, Bundle];
  [other] = (await makeBundles(1, "other")) as [Bundle];
  name = bundles[0].name;
});

/** A store with two bundles; of `mesh` three generations were live. Beside the output folder is one of somebody else. */
async function usePlanted(t: TestContext) {
  const at = await useStore(t);
  await makeLive(at.store, other);
  await makeLive(at.store, bundles[3]);
  const older = await makeLive(at.store, bundles[1]);
  const live = await makeLive(at.store, bundles[0]);
  const dir = join(at.options.dir, "mesh");
  const generations = join(dir, ".generations");
  const outside = join(at.options.dir, "..", "outside");
  mkdirSync(outside);
  return { ...at, older, live, dir, generations, outside };
}

type Planted = Awaited<ReturnType<typeof usePlanted>>;

/** Everything about a folder that reading alone would not change. */
async function stateOf(folder: string): Promise<readonly string[]> {
  return [...pictureOf(folder), ...(await fingerprintTree(folder))];
}

/** Each moves what is at a path outside, as it is, and plants a link to it in its place. */
const PLACES: Readonly<Record<string, (planted: Planted) => string>> = {
  "the bundle's folder": ({ dir }) => dir,
  "the folder of its generations": ({ generations }) => generations,
  "the folder of what is current": ({ generations, live }) => join(generations, live.id),
  "the folder of what could be gone back to": ({ generations, older }) => join(generations, older.id),
};

function plantLink({ outside }: Planted, path: string): void {
  const target = join(outside, "theirs");
  renameSync(path, target);
  for (const leftover of [".new-000009-12345678", ".old-000009-12345678", ".generations/.new-x"]) {
    mkdirSync(join(target, leftover), { recursive: true });
    writeFileSync(join(target, leftover, "tls.key"), "somebody else's");
  }
  cpSync(join(target), join(outside, "copy"), { recursive: true, verbatimSymlinks: true });
  symlinkSync(target, path);
}

describe("a link in place of a folder", () => {
  for (const [what, place] of Object.entries(PLACES)) {
    it(`is not followed at start: ${what}`, async (t) => {
      const planted = await usePlanted(t);
      const { outside } = planted;
      await planted.store.close();
      const path = place(planted);
      plantLink(planted, path);
      const before = await stateOf(outside);

      const store = await planted.reopen();

      assert.deepEqual(await stateOf(outside), before);
      assert.equal(store.current(other.name)?.state, "live");
      if (path.includes("/.generations/"))
        assert.ok(!store.history(name).some(({ id }) => path.endsWith(id)));
      else {
        assert.deepEqual(store.history(name), []);
        const message = `${path} is a symbolic link; keyturn writes only into folders of its own: remove it`;
        await assert.rejects(store.stage(bundles[2]), { code: "STORE_UNSAFE", message });
        rmSync(path);
      }
      assert.equal((await makeLive(store, bundles[2])).state, "live");
      assert.deepEqual(await stateOf(outside), before);
    });

    /** Everything a running daemon does to a bundle. */
    const deeds: Readonly<Record<string, (store: FileStore, planted: Planted) => Promise<unknown>>> = {
      "a rotation": (store) => makeLive(store, bundles[2]),
      "a warning that is written down": (store) => store.recordWarned(name, ["30d"]),
      "a rollback": (store, { older }) =>
        store.rollBack(name, older.id, { cause: "operator", why: "because" }),
      "a repair": (store) => store.repair(name, bundles[0]),
      pruning: (store) => store.prune(name),
      "an end of the bundle": (store) => store.remove(name),
    };
    for (const [deed, act] of Object.entries(deeds)) {
      it(`is not followed by ${deed}: ${what}`, async (t) => {
        const planted = await usePlanted(t);
        const { store, outside } = planted;
        plantLink(planted, place(planted));
        Object.assign(planted.options, { keep: 0 });
        const before = await stateOf(outside);

        const failure = await act(store, planted).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );

        assert.deepEqual(await stateOf(outside), before);
        if (failure !== undefined) assert.match(String(failure), /symbolic link/);
        assert.equal(store.current(other.name)?.state, "live");
      });
    }

    it(`is not followed by a flip to what was staged before it was planted: ${what}`, async (t) => {
      const planted = await usePlanted(t);
      const { store, outside } = planted;
      const staged = await store.stage(bundles[2]);
      plantLink(planted, place(planted));
      const before = await stateOf(outside);

      await store.activate(staged).catch(() => undefined);

      assert.deepEqual(await stateOf(outside), before);
    });
  }

  it("is refused where services still have to be told of what it hides", async (t) => {
    const planted = await usePlanted(t);
    const { store, generations, outside } = planted;
    const current = await makeCurrent(store, bundles[2]);
    plantLink(planted, generations);
    const before = await stateOf(outside);

    await assert.rejects(store.recordLive(current), { code: "STORE_UNSAFE", message: /remove it/ });

    assert.deepEqual(await stateOf(outside), before);
    assert.equal(store.current(name)?.state, "current");
  });
});
