import assert from "node:assert/strict";
import fs from "node:fs";
import { chmod, mkdir, readdir, readFile, readlink, rm, truncate, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import type { GenerationId } from "../../src/core/generation.ts";
import { fingerprintTree } from "../support/mtimes.ts";
import { makeBundles, makeCurrent, makeLive, modeOf, useStore } from "../support/store.ts";

const SERVICE = { cause: "service", why: "vllm serves another certificate" } as const;
const OPERATOR = { cause: "operator", why: "asked for by kim" } as const;

let bundles: [Bundle, Bundle, Bundle, Bundle];
let name: Bundle["name"];

before(async () => {
  bundles = (await makeBundles(4)) as [Bundle, Bundle, Bundle, Bundle];
  name = bundles[0].name;
});

describe("the way back", () => {
  it("makes the earlier generation current, and keeps the other in quarantine", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeCurrent(store, bundles[1]);

    const { from, current } = await store.rollBack(name, first.id, SERVICE);

    assert.equal(await readlink(join(options.dir, "mesh", "current")), `.generations/${first.id}`);
    assert.deepEqual(current, { ...first, state: "current" });
    assert.deepEqual(store.current(name), current);
    const { at, ...rollback } = from.rollback ?? { at: "" };
    assert.deepEqual(rollback, { to: first.id, ...SERVICE, quarantined: true, finished: false });
    assert.equal(from.changedAt, at);
    assert.deepEqual(
      { ...from, changedAt: "", rollback: null },
      {
        ...second,
        state: "rolledBack",
        changedAt: "",
      },
    );
    assert.deepEqual(store.quarantined(name, second.digest), from);
    assert.equal(store.quarantined(name, first.digest), undefined);
    assert.deepEqual(await store.audit(name), []);
  });

  it("leaves the manifest of the earlier generation as it is", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const folder = join(options.dir, "mesh", ".generations", first.id);
    const before = await fingerprintTree(folder);
    await makeCurrent(store, bundles[1]);

    const { current } = await store.rollBack(name, first.id, SERVICE);
    await store.recordLive(current);

    assert.deepEqual(await fingerprintTree(folder), before);
    assert.deepEqual(store.current(name), first);
  });

  it("is finished when every service knows what is current, and the quarantine stays", async (t) => {
    const { store, reopen } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeCurrent(store, bundles[1]);
    const { current } = await store.rollBack(name, first.id, SERVICE);

    await store.recordLive(current);

    for (const open of [store, await reopen()]) {
      assert.deepEqual(open.current(name), first);
      const { rollback } = open.quarantined(name, second.digest) ?? {};
      assert.deepEqual([rollback?.finished, rollback?.quarantined], [true, true]);
    }
  });

  it("puts the links of the earlier generation's files right", async (t) => {
    const { store, options } = await useStore(t);
    const [identity] = bundles;
    const trust: Bundle = { ...identity, identity: null, digest: bundles[3].digest };
    const first = await makeLive(store, identity);
    await makeCurrent(store, trust);
    assert.ok(!(await readdir(join(options.dir, "mesh"))).includes("tls.pem"));

    await store.rollBack(name, first.id, SERVICE);

    assert.ok((await readdir(join(options.dir, "mesh"))).includes("tls.pem"));
    assert.deepEqual(await store.audit(name), []);
  });

  it("is open to an operator from what was live, to any generation that is kept", async (t) => {
    const { store } = await useStore(t);
    const [first, second, third] = [
      await makeLive(store, bundles[0]),
      await makeLive(store, bundles[1]),
      await makeLive(store, bundles[2]),
    ];

    const { current } = await store.rollBack(name, first.id, OPERATOR);
    await store.recordLive(current);

    assert.equal(store.current(name)?.id, first.id);
    assert.equal(store.previous(name)?.id, second.id);
    assert.deepEqual(
      store.history(name).map(({ id, state }) => [id, state]),
      [
        [first.id, "live"],
        [second.id, "live"],
        [third.id, "rolledBack"],
      ],
    );
  });

  it("leads through several generations, one after another", async (t) => {
    const { store } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeLive(store, bundles[1]);
    const third = await makeCurrent(store, bundles[2]);

    await store.rollBack(name, second.id, SERVICE);
    assert.equal(store.previous(name)?.id, first.id);
    const { current } = await store.rollBack(name, first.id, SERVICE);
    await store.recordLive(current);

    assert.equal(store.current(name)?.state, "live");
    assert.equal(store.previous(name), undefined);
    for (const { digest } of [second, third]) {
      assert.equal(store.quarantined(name, digest)?.rollback?.finished, true);
    }
  });

  it("leads to one that was rolled back itself, where an operator wants it", async (t) => {
    const { store, reopen } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeCurrent(store, bundles[1]);
    await store.rollBack(name, first.id, SERVICE);

    const { current } = await store.rollBack(name, second.id, OPERATOR);

    assert.deepEqual([current.id, current.state, current.rollback], [second.id, "current", null]);
    assert.equal(store.quarantined(name, second.digest), undefined);
    assert.equal((await reopen()).current(name)?.id, second.id);
  });

  it("is not gone where the earlier generation is not whole, and nothing changes", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeLive(store, bundles[1]);
    await truncate(join(options.dir, "mesh", ".generations", first.id, "tls.key"), 10);
    const before = await fingerprintTree(join(options.dir, "mesh"));

    await assert.rejects(store.rollBack(name, first.id, OPERATOR), {
      code: "STORE_FAILED",
      message: /is not whole: .*tls\.key has 10 bytes/,
    });

    assert.deepEqual(store.current(name), second);
    assert.deepEqual(await fingerprintTree(join(options.dir, "mesh")), before);
  });

  it("goes by another generation than one that was found damaged", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeLive(store, bundles[1]);
    await makeCurrent(store, bundles[2]);
    await rm(join(options.dir, "mesh", ".generations", second.id), { recursive: true });
    assert.equal(store.previous(name)?.id, second.id);

    await assert.rejects(store.rollBack(name, second.id, SERVICE), { message: /is not whole/ });

    assert.equal(store.previous(name)?.id, first.id);
  });

  it("puts mode and owner of the earlier generation right: they may have been set otherwise since", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    await makeCurrent(store, bundles[1]);
    const folder = join(options.dir, "mesh", ".generations", first.id);
    await chmod(join(folder, "tls.key"), 0o000);
    await chmod(folder, 0o500);

    await store.rollBack(name, first.id, SERVICE);

    assert.deepEqual(await Promise.all([folder, join(folder, "tls.key")].map(modeOf)), ["700", "600"]);
    assert.deepEqual(await store.audit(name), []);
  });

  it("leads neither to the current generation nor to one that is not there", async (t) => {
    const { store } = await useStore(t);
    await assert.rejects(store.rollBack(name, "000001-00000000" as GenerationId, OPERATOR), {
      code: "STORE_FAILED",
      message: /nothing of mesh is current/,
    });
    const live = await makeLive(store, bundles[0]);

    await assert.rejects(store.rollBack(name, live.id, OPERATOR), { message: /is the current one/ });
    await assert.rejects(store.rollBack(name, "000009-00000000" as GenerationId, OPERATOR), {
      message: /there is no generation 000009-00000000/,
    });
  });

  it("takes the decision back where the flip fails", async (t) => {
    const { store, options, reopen } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeLive(store, bundles[1]);
    const link = join(options.dir, "mesh", "current");
    await rm(link);
    await mkdir(join(link, "full"), { recursive: true });

    await assert.rejects(store.rollBack(name, first.id, SERVICE), { code: "STORE_UNSAFE" });

    assert.deepEqual(store.current(name), second);
    assert.equal(store.quarantined(name, second.digest), undefined);
    await rm(link, { recursive: true });
    await store.repair(name, null);
    assert.deepEqual((await reopen()).current(name), second);
  });

  it("that was not gone leaves the quarantine of where it led to as it was", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeCurrent(store, bundles[1]);
    const { from } = await store.rollBack(name, first.id, SERVICE);
    const link = join(options.dir, "mesh", "current");
    await rm(link);
    await mkdir(join(link, "full"), { recursive: true });

    await assert.rejects(store.rollBack(name, second.id, OPERATOR), { code: "STORE_UNSAFE" });

    assert.deepEqual(store.quarantined(name, second.digest), from);
    assert.equal(store.current(name)?.id, first.id);
  });

  it("cannot be decided where the current generation is gone from disk", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeCurrent(store, bundles[1]);
    await rm(join(options.dir, "mesh", ".generations", second.id), { recursive: true });

    await assert.rejects(store.rollBack(name, first.id, SERVICE), { message: /is gone from disk/ });

    assert.equal(store.current(name)?.id, second.id);
  });
});

describe("a quarantine", () => {
  it("is lifted by new content that is live, and not by what was put back", async (t) => {
    const { store } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const bad = await makeCurrent(store, bundles[1]);
    const { current } = await store.rollBack(name, first.id, SERVICE);
    await store.recordLive(current);
    await store.recordLive(current);
    assert.ok(store.quarantined(name, bad.digest));

    const next = await makeCurrent(store, bundles[2]);
    assert.ok(store.quarantined(name, bad.digest), "it is not known yet whether that is any better");
    await store.recordLive(next);

    assert.equal(store.quarantined(name, bad.digest), undefined);
    const { rollback } = store.history(name).find(({ id }) => id === bad.id) ?? {};
    assert.deepEqual([rollback?.quarantined, rollback?.finished], [false, true]);
  });

  it("stays when what was put back is written anew", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const bad = await makeCurrent(store, bundles[1]);
    const { current } = await store.rollBack(name, first.id, SERVICE);
    await store.recordLive(current);
    await rm(join(options.dir, "mesh", ".generations", first.id), { recursive: true });

    const renewed = await store.repair(name, bundles[0]);
    await store.recordLive(renewed);

    assert.notEqual(renewed.id, first.id);
    assert.ok(store.quarantined(name, bad.digest));
  });

  it("is not lifted by what was live before, whatever it led to", async (t) => {
    const { store } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeLive(store, bundles[1]);
    const third = await makeCurrent(store, bundles[2]);
    await store.rollBack(name, second.id, SERVICE);
    const { current } = await store.rollBack(name, first.id, OPERATOR);
    await store.recordLive(current);
    await store.liftQuarantine(name, third.digest);

    await store.recordLive(first);

    assert.ok(store.quarantined(name, third.digest));
  });

  it("is lifted by an operator, also from all but one", async (t) => {
    const { store, reopen } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeCurrent(store, bundles[1]);
    await store.rollBack(name, first.id, SERVICE);
    const third = await makeCurrent(store, bundles[2]);
    await store.rollBack(name, first.id, SERVICE);

    await store.liftQuarantine(name, third.digest);

    assert.equal(store.quarantined(name, second.digest), undefined);
    assert.equal((await reopen()).quarantined(name, third.digest)?.id, third.id);
    await store.close();
  });

  it("is not written where there is none to lift", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const second = await makeCurrent(store, bundles[1]);
    await store.rollBack(name, first.id, SERVICE);
    const before = await fingerprintTree(join(options.dir, "mesh"));

    await store.liftQuarantine(name, second.digest);

    assert.deepEqual(await fingerprintTree(join(options.dir, "mesh")), before);
  });

  it("does not hold where nothing is current that it could keep from harm", async (t) => {
    const { store, options, reopen } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const bad = await makeCurrent(store, bundles[1]);
    const { current } = await store.rollBack(name, first.id, SERVICE);
    await store.recordLive(current);
    await rm(join(options.dir, "mesh", ".generations", first.id), { recursive: true });

    const again = await reopen();

    assert.equal(again.current(name), undefined);
    assert.equal(again.quarantined(name, bad.digest), undefined);
  });

  it("is forgotten with a generation that somebody removed", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const bad = await makeCurrent(store, bundles[1]);
    const { current } = await store.rollBack(name, first.id, SERVICE);
    await rm(join(options.dir, "mesh", ".generations", bad.id), { recursive: true });

    await store.recordLive(current);

    assert.deepEqual(store.history(name), [first]);
  });
});

describe("old generations", () => {
  it("stay where they are in quarantine, the newest three", async (t) => {
    const { store } = await useStore(t, { keep: 1 });
    const many = await makeBundles(8);
    const good = await makeLive(store, many[0] as Bundle);
    const bad = [];
    for (const bundle of many.slice(1, 6)) {
      bad.push(await makeCurrent(store, bundle));
      const { current } = await store.rollBack(name, good.id, SERVICE);
      await store.recordLive(current);
      await store.prune(name);
    }

    assert.deepEqual(
      store.history(name).map(({ id }) => id),
      [good, ...bad.slice(-3)].map(({ id }) => id),
    );

    const next = await makeLive(store, many[6] as Bundle);
    const last = await makeLive(store, many[7] as Bundle);
    assert.deepEqual(
      store.history(name).map(({ id }) => id),
      [next, last].map(({ id }) => id),
    );
  });

  it("of the same content are not a way back", async (t) => {
    const { store } = await useStore(t);
    const other = await makeLive(store, bundles[0]);
    const first = await makeLive(store, bundles[1]);
    const again = await makeLive(store, bundles[1]);

    assert.notEqual(again.id, first.id);
    assert.deepEqual(store.previous(name), other);
  });
});

describe("what is written of a generation", () => {
  it("is whole where several write to it at once", async (t) => {
    const { store, options, reopen } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    await makeCurrent(store, bundles[1]);
    const { from, current } = await store.rollBack(name, first.id, SERVICE);

    await Promise.all([
      store.recordLive(current),
      store.recordWarned(name, ["30d"]),
      store.liftQuarantine(name, null),
      store.recordWarned(name, ["30d", "7d"]),
    ]);

    const again = await reopen();
    assert.deepEqual(again.warned(name), ["30d", "7d"]);
    assert.equal(again.current(name)?.state, "live");
    const { rollback } = again.history(name).find(({ id }) => id === from.id) ?? {};
    assert.deepEqual([rollback?.quarantined, rollback?.finished], [false, true]);
    const left = await readdir(join(options.dir, "mesh", ".generations"));
    assert.deepEqual(left.sort(), [first.id, from.id]);
  });

  it("of its end is told once, and begins anew with new content", async (t) => {
    const { store, options, reopen } = await useStore(t);
    await store.recordWarned(name, ["30d"]);
    assert.deepEqual(store.warned(name), []);
    await makeLive(store, bundles[0]);
    await store.recordWarned(name, ["30d"]);
    const before = await fingerprintTree(join(options.dir, "mesh"));

    await store.recordWarned(name, ["30d"]);
    const again = await reopen();

    assert.deepEqual(await fingerprintTree(join(options.dir, "mesh")), before);
    assert.deepEqual(again.warned(name), ["30d"]);
    await makeCurrent(again, bundles[1]);
    assert.deepEqual(again.warned(name), []);
  });

  it("is what is on disk, also where writing it failed on the way", async (t) => {
    const { store, options } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const manifest = join(options.dir, "mesh", ".generations", first.id, "manifest.json");
    const text = await readFile(manifest, "utf8");
    await rm(manifest);
    await mkdir(join(manifest, "full"), { recursive: true });

    await assert.rejects(store.recordWarned(name, ["1d"]), { code: "STORE_FAILED" });

    assert.deepEqual(store.warned(name), []);
    await rm(manifest, { recursive: true });
    await writeFile(manifest, text.replace('"warned": []', '"warned": ["7d"]'));
    assert.equal((await store.audit(name)).length, 1);
  });

  it("is what came as far as the rename, though that may not be on the medium", async (t) => {
    const { store, options, reopen } = await useStore(t);
    const first = await makeLive(store, bundles[0]);
    const folder = join(options.dir, "mesh", ".generations", first.id);
    const { openSync } = fs;
    fs.openSync = (...args: Parameters<typeof openSync>) => {
      if (args[0] === folder) throw new Error("input/output error");
      return openSync(...args);
    };
    syncBuiltinESMExports();
    try {
      await assert.rejects(store.recordWarned(name, ["1d"]), { code: "STORE_FAILED" });
    } finally {
      fs.openSync = openSync;
      syncBuiltinESMExports();
    }

    assert.deepEqual(store.warned(name), ["1d"]);
    assert.deepEqual((await reopen()).warned(name), ["1d"]);
  });
});
