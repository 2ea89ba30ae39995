/** A bundle that is taken away goes with all that is keyturn's, and nothing of what somebody else put beside it. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import { pictureOf } from "../support/picture.ts";
import { makeBundles, makeLive, useStore } from "../support/store.ts";

let bundles: readonly [Bundle, Bundle];
let name: Bundle["name"];

before(async () => {
  bundles = (await makeBundles(2)) as [Bundle, Bundle];
  name = bundles[0].name;
});

describe("a bundle's folder that is removed", () => {
  it("stays with what somebody else put there, says so, and takes the bundle again", async (t) => {
    const { store, options, reopen } = await useStore(t);
    await makeLive(store, bundles[1]);
    await makeLive(store, bundles[0]);
    const dir = join(options.dir, name);
    mkdirSync(join(dir, "notes"));
    writeFileSync(join(dir, "notes", "todo"), "mine");
    symlinkSync("/etc/hostname", join(dir, "my-link"));
    rmSync(join(dir, "tls.crt"));
    mkdirSync(join(dir, "tls.crt"));
    writeFileSync(join(dir, "tls.crt", "mine"), "mine");
    mkdirSync(join(dir, ".new-half"));
    const foreign = pictureOf(dir).filter((line) => /^(notes|my-link|tls\.crt)/.test(line));

    assert.deepEqual([...(await store.remove(name))].sort(), ["my-link", "notes", "tls.crt"]);

    assert.deepEqual(pictureOf(dir).slice(1), foreign);
    assert.equal(store.current(name), undefined);
    assert.deepEqual((await reopen()).names(), []);
  });

  it("that holds a file of somebody else takes the bundle again", async (t) => {
    const { store, options } = await useStore(t);
    await makeLive(store, bundles[0]);
    writeFileSync(join(options.dir, name, "README"), "mine");
    await store.remove(name);

    assert.equal((await makeLive(store, bundles[0])).state, "live");
    assert.deepEqual(await store.audit(name), []);
  });

  it("goes as a whole where all of it is keyturn's", async (t) => {
    const { store, options } = await useStore(t);
    await makeLive(store, bundles[0]);

    assert.deepEqual(await store.remove(name), []);

    assert.deepEqual(readdirSync(options.dir), [".lock"]);
  });
});
