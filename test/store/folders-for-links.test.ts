/** A folder where `current` or another link belongs: an empty one makes way, and one with something in it is left alone. */
import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import { makeBundles, makeLive, useStore } from "../support/store.ts";

let bundles: readonly [Bundle, Bundle];
let name: Bundle["name"];

before(async () => {
  bundles = (await makeBundles(2)) as [Bundle, Bundle];
  name = bundles[0].name;
});

async function useFolderAt(t: TestContext, link: string) {
  const at = await useStore(t);
  const live = await makeLive(at.store, bundles[0]);
  const path = join(at.options.dir, name, link);
  rmSync(path);
  mkdirSync(path);
  return { ...at, live, path };
}

describe("a folder in place of `current`", () => {
  it("that is empty makes way for the first rotation of a bundle", async (t) => {
    const { store, options } = await useStore(t);
    mkdirSync(join(options.dir, name, "current"), { recursive: true });

    const live = await makeLive(store, bundles[0]);

    assert.equal(readlinkSync(join(options.dir, name, "current")), `.generations/${live.id}`);
  });

  it("that is empty makes way for the next rotation, and for the first one after a start", async (t) => {
    const { store, path, reopen } = await useFolderAt(t, "current");
    const second = await makeLive(store, bundles[1]);
    assert.equal(readlinkSync(path), `.generations/${second.id}`);
    rmSync(path);
    mkdirSync(path);

    const again = await reopen();
    const third = await makeLive(again, bundles[0]);

    assert.equal(readlinkSync(path), `.generations/${third.id}`);
  });

  it("with something in it is refused, leaves nothing behind, and stays as it is until it is moved", async (t) => {
    const { store, options, live, path } = await useFolderAt(t, "current");
    writeFileSync(join(path, "mine"), "mine");
    const before = readdirSync(join(options.dir, name)).sort();
    const message = `${path} is a folder with something in it, where keyturn has a file or a link: move it away`;

    const staged = await store.stage(bundles[1]);
    await assert.rejects(store.activate(staged), { code: "STORE_UNSAFE", message });

    assert.deepEqual(store.current(name), live);
    assert.deepEqual(readdirSync(join(options.dir, name)).sort(), before);
    assert.equal(readFileSync(join(path, "mine"), "utf8"), "mine");
    renameSync(path, join(options.dir, "..", "moved"));
    assert.equal((await makeLive(store, bundles[1])).state, "live");
  });
});

describe("a folder in place of a link to a file", () => {
  it("that is empty makes way at start", async (t) => {
    const { live, path, reopen } = await useFolderAt(t, "tls.key");

    const again = await reopen();

    assert.deepEqual(again.current(name), live);
    assert.equal(readlinkSync(path), "current/tls.key");
  });

  it("with something in it is refused by a repair, which leaves nothing behind", async (t) => {
    const { store, options, path } = await useFolderAt(t, "tls.key");
    writeFileSync(join(path, "mine"), "mine");
    const before = readdirSync(join(options.dir, name)).sort();

    await assert.rejects(store.repair(name, bundles[0]), { message: /move it away/ });

    assert.deepEqual(readdirSync(join(options.dir, name)).sort(), before);
  });
});
