/** Every operation is broken off after each of its calls that change something, and the next process takes over. */
import assert from "node:assert/strict";
import { chmod, readdir, rm, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import type { Generation } from "../../src/core/generation.ts";
import type { FileStore } from "../../src/store/file-store.ts";
import { crashAfter } from "../support/crash.ts";
import { makeBundles, makeCurrent, makeLive, type TestStore, useStore } from "../support/store.ts";

const WHY = { cause: "service", why: "haproxy ended" } as const;
/** More than any of these operations makes. */
const MOST_CHANGES = 200;

let bundles: [Bundle, Bundle, Bundle, Bundle];
let name: Bundle["name"];

before(async () => {
  bundles = (await makeBundles(4)) as [Bundle, Bundle, Bundle, Bundle];
  name = bundles[0].name;
});

interface Scenario<T> {
  readonly prepare: (at: TestStore) => Promise<T>;
  readonly operate: (store: FileStore, prepared: T, at: TestStore) => Promise<unknown>;
  /** What the next process finds. */
  readonly check: (again: FileStore, prepared: T, at: TestStore) => void | Promise<void>;
}

/** @returns how often it was broken off. */
async function crashEverywhere<T>(t: TestContext, { prepare, operate, check }: Scenario<T>): Promise<number> {
  for (let changes = 0; changes < MOST_CHANGES; changes++) {
    const at = await useStore(t, { keep: 1 });
    const prepared = await prepare(at);
    const { crashed, thrown } = await crashAfter(changes, () => operate(at.store, prepared, at));
    if (!crashed && thrown !== undefined) throw thrown;
    const again = await at.reopen();
    await t.test(crashed ? `after ${changes} changes` : "to its end", async () => {
      await check(again, prepared, at);
      assert.deepEqual(await leftoversIn(at), []);
    });
    if (!crashed) return changes;
  }
  throw new Error(`it takes more than ${MOST_CHANGES} changes`);
}

async function leftoversIn({ options }: TestStore): Promise<string[]> {
  const names = await readdir(options.dir, { recursive: true });
  return names.filter((path) => /(^|\/)\.(new|old)-/.test(path));
}

describe("a crash at any instruction", () => {
  it("of a rotation leaves the old generation whole or the new one", async (t) => {
    const count = await crashEverywhere(t, {
      prepare: async ({ store }) => {
        await makeLive(store, bundles[0]);
        return makeLive(store, bundles[1]);
      },
      operate: (store) => makeLive(store, bundles[2]),
      check: async (again, old) => {
        const current = again.current(name);
        if (current?.id === old.id) assert.equal(current.state, "live");
        else assert.equal(current?.digest, bundles[2].digest);
        assert.deepEqual(await again.audit(name), []);
      },
    });
    assert.ok(count > 10);
  });

  it("of going back is finished, or was never begun", async (t) => {
    const count = await crashEverywhere(t, {
      prepare: async ({ store }) => ({
        first: await makeLive(store, bundles[0]),
        second: await makeCurrent(store, bundles[1]),
      }),
      operate: (store, { first }) => store.rollBack(name, first.id, WHY),
      check: async (again, { first, second }) => {
        const isBack = again.quarantined(name, second.digest) !== undefined;
        assert.deepEqual(again.current(name), isBack ? { ...first, state: "current" } : second);
        assert.deepEqual(await again.audit(name), []);
      },
    });
    assert.ok(count >= 5);
  });

  it("of going back to what was rolled back itself leaves one of the two, and none in a circle", async (t) => {
    await crashEverywhere(t, {
      prepare: async ({ store }) => {
        const first = await makeLive(store, bundles[0]);
        const second = await makeCurrent(store, bundles[1]);
        await store.rollBack(name, first.id, WHY);
        return { first, second };
      },
      operate: (store, { second }) => store.rollBack(name, second.id, { cause: "operator", why: "kim" }),
      check: async (again, { first, second }) => {
        const isBack = again.quarantined(name, first.digest) !== undefined;
        const current = isBack ? second : first;
        assert.deepEqual([again.current(name)?.id, again.current(name)?.state], [current.id, "current"]);
        assert.deepEqual(await again.audit(name), []);
      },
    });
  });

  it("of the start-up that finishes the way back is finished by the next one", async (t) => {
    const count = await crashEverywhere(t, {
      prepare: async ({ store, options }) => {
        const first = await makeLive(store, bundles[0]);
        const second = await makeLive(store, bundles[1]);
        const third = await makeCurrent(store, bundles[2]);
        await store.rollBack(name, second.id, WHY);
        const link = join(options.dir, "mesh", "current");
        await rm(link);
        await symlink(`.generations/${third.id}`, link);
        await truncate(join(options.dir, "mesh", ".generations", second.id, "ca.crt"), 0);
        return first;
      },
      operate: (_store, _prepared, at) => at.reopen(),
      check: async (again, first) => {
        assert.deepEqual(again.current(name), { ...first, state: "current" });
        assert.deepEqual(await again.audit(name), []);
      },
    });
    assert.ok(count >= 5);
  });

  it("of recording that the way back is finished has the services told once more, or not", async (t) => {
    await crashEverywhere(t, {
      prepare: async ({ store }) => {
        const first = await makeLive(store, bundles[0]);
        const second = await makeCurrent(store, bundles[1]);
        await store.rollBack(name, first.id, WHY);
        return { first, second };
      },
      operate: (store, { first }) => store.recordLive(first),
      check: (again, { first, second }) => {
        const rollback = again.quarantined(name, second.digest)?.rollback;
        assert.ok(rollback);
        const state = rollback.finished ? "live" : "current";
        assert.deepEqual(again.current(name), { ...first, state });
      },
    });
  });

  it("of recording new content as live keeps what is current, and no quarantine of it", async (t) => {
    await crashEverywhere(t, {
      prepare: async ({ store }) => {
        const first = await makeLive(store, bundles[0]);
        for (const bundle of bundles.slice(1, 3)) {
          await makeCurrent(store, bundle);
          await store.rollBack(name, first.id, WHY);
        }
        return makeCurrent(store, bundles[3]);
      },
      operate: (store, current: Generation) => store.recordLive(current),
      check: (again, current) => {
        assert.equal(again.current(name)?.id, current.id);
        const unfinished = again.history(name).filter(({ rollback }) => rollback?.finished === false);
        if (unfinished.length > 0) assert.equal(again.current(name)?.state, "current");
        else assert.equal(again.current(name)?.state, "live");
      },
    });
  });

  it("of a repair in place leaves the rest to the next one", async (t) => {
    await crashEverywhere(t, {
      prepare: async ({ store, options }) => {
        const live = await makeLive(store, bundles[0]);
        const dir = join(options.dir, "mesh");
        const folder = join(dir, ".generations", live.id);
        await truncate(join(folder, "tls.key"), 5);
        await chmod(join(folder, "tls.pem"), 0o644);
        await rm(join(folder, "ca.crt"));
        await rm(join(dir, "tls.crt"));
        return live;
      },
      operate: (store) => store.repair(name, bundles[0]),
      check: async (again, live) => {
        assert.deepEqual(await again.repair(name, bundles[0]), live);
        assert.deepEqual(await again.audit(name), []);
      },
    });
  });

  it("of a repair by a new generation leaves nothing that is half one", async (t) => {
    await crashEverywhere(t, {
      prepare: async ({ store, options }) => {
        const live = await makeLive(store, bundles[0]);
        await rm(join(options.dir, "mesh", ".generations", live.id), { recursive: true });
        return live;
      },
      operate: (store) => store.repair(name, bundles[0]),
      check: async (again, live) => {
        const current = again.current(name);
        if (current === undefined) return;
        assert.notEqual(current.id, live.id);
        assert.equal(current.state, "current");
        assert.deepEqual(await again.audit(name), []);
      },
    });
  });
});
