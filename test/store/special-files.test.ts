/** A FIFO, a socket or a device where a file of a bundle belongs holds nothing up, and is replaced. */
import assert from "node:assert/strict";
import { lstatSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import { filesOf } from "../../src/store/layout.ts";
import { writePlainFiles } from "../../src/store/plain-files.ts";
import { SPECIAL_FILES } from "../support/special-files.ts";
import { makeBundles, makeLive, useStore } from "../support/store.ts";

let bundle: Bundle;

before(async () => {
  [bundle] = (await makeBundles(1)) as [Bundle];
});

for (const [what, make] of Object.entries(SPECIAL_FILES)) {
  describe(what, () => {
    it("in place of a manifest does not keep a start from ending, and its bundle is written anew", async (t) => {
      const { store, options, reopen } = await useStore(t);
      const live = await makeLive(store, bundle);
      const path = join(options.dir, "mesh", ".generations", live.id, "manifest.json");
      rmSync(path);
      await make(t, path);

      const again = await reopen();

      assert.equal(again.current(bundle.name), undefined);
      assert.equal((await makeLive(again, bundle)).state, "live");
    });

    it("in place of any file is found by an audit, and replaced by a repair", async (t) => {
      const { store, options } = await useStore(t);
      const live = await makeLive(store, bundle);
      const folder = join(options.dir, "mesh", ".generations", live.id);
      const files = [...filesOf(bundle).map(({ name }) => name), "manifest.json"];
      for (const file of files) {
        rmSync(join(folder, file));
        await make(t, join(folder, file));
      }
      const found = (await store.audit(bundle.name)).map(({ message }) => message);
      assert.deepEqual(
        found,
        files.map((file) => `${join(folder, file)} is neither a file nor a folder, not a file of its own`),
      );

      assert.deepEqual(await store.repair(bundle.name, bundle), live);

      assert.deepEqual(await store.audit(bundle.name), []);
      for (const { name, content } of filesOf(bundle)) {
        assert.equal(readFileSync(join(folder, name), "utf8"), content);
      }
    });

    it("at a service's own path is refused, and stays what it is", async (t) => {
      const { store, options } = await useStore(t);
      await makeLive(store, bundle);
      const path = join(options.dir, "..", "server.key");
      await make(t, path);
      const before = lstatSync(path);
      const pem = await store.read(bundle.name);
      assert.ok(pem);
      const owner = { uid: undefined, gid: undefined };

      await assert.rejects(writePlainFiles([{ path, content: "key", mode: 0o600, owner }], pem), {
        code: "STORE_UNSAFE",
        message: `${path} is neither a file nor a folder, where a file belongs: move it away`,
      });

      assert.deepEqual(lstatSync(path), before);
    });
  });
}
