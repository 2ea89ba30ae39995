import assert from "node:assert/strict";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { FileStore } from "../../src/store/file-store.ts";
import { useFolder } from "../support/folder.ts";
import { makeBundles, makeLive, storeOptions, useStore } from "../support/store.ts";

describe("the lock of the output folder", () => {
  it("does not depend on the note that names its process", async (t) => {
    const { options } = await useStore(t);
    rmSync(join(options.dir, ".lock"));

    await assert.rejects(FileStore.open(options), { code: "STORE_LOCKED", message: /process unknown/ });
  });

  it("holds for every path to the folder", async (t) => {
    const { options } = await useStore(t);
    const other = join(options.dir, "..", "..", "other");
    t.after(() => rmSync(other));
    symlinkSync(join(options.dir, ".."), other);

    await assert.rejects(FileStore.open({ ...options, dir: join(other, "output") }), {
      code: "STORE_LOCKED",
    });
  });

  it("is taken where its note cannot be written", async (t) => {
    const options = storeOptions(await useFolder(t));
    mkdirSync(join(options.dir, ".lock", "in the way"), { recursive: true });

    const store = await FileStore.open(options);
    t.after(() => store.close());

    await assert.rejects(FileStore.open(options), { code: "STORE_LOCKED", message: /process unknown/ });
  });

  for (const [what, plant] of [
    ["symbolic link", symlinkSync],
    ["hard link", linkSync],
  ] as const) {
    it(`never has its note written through a ${what}, nor read from one`, async (t) => {
      const folder = await useFolder(t);
      const options = storeOptions(folder);
      const victim = join(folder, "victim");
      mkdirSync(options.dir);
      writeFileSync(victim, "somebody else's\n");
      plant(victim, join(options.dir, ".lock"));

      const store = await FileStore.open(options);
      t.after(() => store.close());
      rmSync(join(options.dir, ".lock"));
      plant(victim, join(options.dir, ".lock"));

      assert.equal(readFileSync(victim, "utf8"), "somebody else's\n");
      await assert.rejects(FileStore.open(options), { code: "STORE_LOCKED", message: /process unknown/ });
    });
  }

  it("follows the path: a folder that was removed is made again, and is nobody else's", async (t) => {
    const { store, options } = await useStore(t);
    const [first, second] = await makeBundles(2);
    assert.ok(first && second);
    await makeLive(store, first);
    rmSync(options.dir, { recursive: true });

    await makeLive(store, second);

    await assert.rejects(FileStore.open(options), {
      code: "STORE_LOCKED",
      message: new RegExp(`process ${process.pid}\\)`),
    });
  });

  it("is asked for once where several operations find the folder removed", async (t) => {
    const { store, options } = await useStore(t);
    const bundles = (await Promise.all(["a", "b", "c"].map((name) => makeBundles(1, name)))).flat();
    rmSync(options.dir, { recursive: true });

    await Promise.all(bundles.map((bundle) => makeLive(store, bundle)));

    assert.equal(store.names().length, 3);
    await assert.rejects(FileStore.open(options), { code: "STORE_LOCKED" });
  });

  for (const [what, script, message] of [
    [
      "fails",
      "echo 'flock: 3: no locks available' >&2; exit 71",
      /flock\(1\) ended with 71: .*no locks available/,
    ],
    [
      "fails with the code for a lock that is taken",
      "echo 'flock: no locks' >&2; exit 1",
      /ended with 1: .*no locks/,
    ],
    ["is killed", "kill -9 $$", /flock\(1\) was ended by SIGKILL/],
  ] as const) {
    it(`is not called another's where flock(1) ${what}`, async (t) => {
      const folder = await useFolder(t);
      const program = join(folder, "flock");
      writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
      const { PATH } = process.env;
      process.env.PATH = `${folder}:${PATH}`;
      t.after(() => {
        process.env.PATH = PATH;
      });

      await assert.rejects(FileStore.open(storeOptions(folder)), { code: "STORE_FAILED", message });
    });
  }

  it("keeps off a folder that another process has in its place", async (t) => {
    const { store, options } = await useStore(t);
    const [bundle] = await makeBundles(1);
    assert.ok(bundle);
    renameSync(options.dir, `${options.dir}-aside`);
    const other = await FileStore.open(options);
    t.after(() => other.close());

    await assert.rejects(store.stage(bundle), { code: "STORE_LOCKED" });
    await assert.rejects(store.holdFolder(), { code: "STORE_LOCKED" });

    assert.deepEqual(other.names(), []);
    await other.close();
    await store.stage(bundle);
  });
});
