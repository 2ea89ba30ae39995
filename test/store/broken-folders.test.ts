/** One bundle's folder that is broken at the start: the others are there, and it comes back when it can. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { pictureOf } from "../support/picture.ts";
import { makeBundles, makeLive, useStore } from "../support/store.ts";

/** Two bundles that are live, the folder of one, and the store that opens when something was done to it. */
async function setUp(t: TestContext) {
  const { store, options, reopen } = await useStore(t);
  const [mesh] = await makeBundles(1, "mesh");
  const [other] = await makeBundles(1, "other");
  assert.ok(mesh && other);
  const live = await makeLive(store, mesh);
  await makeLive(store, other);
  return { mesh, live, folder: join(options.dir, "mesh"), reopen };
}

describe("a bundle's folder that is broken at the start", () => {
  it("is written anew where the folder of its generations is a file", async (t) => {
    const { mesh, folder, reopen } = await setUp(t);
    rmSync(join(folder, ".generations"), { recursive: true });
    writeFileSync(join(folder, ".generations"), "");

    const store = await reopen();

    assert.deepEqual(store.names(), ["other"]);
    assert.equal((await makeLive(store, mesh)).state, "live");
    assert.ok(readFileSync(join(folder, "tls.key"), "utf8").includes("PRIVATE KEY"));
  });

  it("goes without a generation whose manifest is a folder", async (t) => {
    const { mesh, live, folder, reopen } = await setUp(t);
    const manifest = join(folder, ".generations", live.id, "manifest.json");
    rmSync(manifest);
    mkdirSync(manifest);

    const store = await reopen();

    assert.deepEqual([store.names(), [...store.unrecovered()]], [["other"], []]);
    assert.notEqual((await makeLive(store, mesh)).id, live.id);
  });

  it("is told of, left as it is, and known again as soon as it can be read", async (t) => {
    const { mesh, live, folder, reopen } = await setUp(t);
    const before = pictureOf(folder);
    const generations = join(folder, ".generations");
    const real = promises.readdir;
    const shut = t.mock.method(promises, "readdir", (path: string, ...rest: []) => {
      if (path !== generations) return real(path, ...rest);
      const message = `EACCES: permission denied, scandir '${path}'`;
      return Promise.reject(Object.assign(new Error(message), { code: "EACCES", path }));
    });
    syncBuiltinESMExports();
    t.after(() => syncBuiltinESMExports());

    const store = await reopen();
    const failure = store.unrecovered().get(mesh.name);
    await assert.rejects(store.stage(mesh), { code: "STORE_FAILED", message: failure?.message ?? "" });

    assert.deepEqual(store.names(), ["other"]);
    assert.equal(failure?.code, "STORE_FAILED");
    assert.ok(failure.message.startsWith("cannot recover mesh: EACCES"));
    assert.ok(failure.message.includes(generations));
    assert.match(failure.message, /check the folder's owner and mode/);
    assert.deepEqual(pictureOf(folder), before);

    shut.mock.restore();
    syncBuiltinESMExports();
    const next = await store.stage(mesh);

    assert.equal(store.current(mesh.name)?.id, live.id);
    assert.match(next.id, /^000002-/);
    assert.equal(store.unrecovered().size, 0);
  });
});
