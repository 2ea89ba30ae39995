/** A file that has a second name elsewhere is somebody else's too: it is replaced, and itself stays as it is. */
import assert from "node:assert/strict";
import { chmodSync, linkSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import { setAccess } from "../../src/store/access.ts";
import { useFolder } from "../support/folder.ts";
import { fingerprintTree } from "../support/mtimes.ts";
import { pictureOf } from "../support/picture.ts";
import { makeBundles, makeLive, useStore } from "../support/store.ts";

const FILES = ["tls.crt", "tls.key", "tls.pem", "ca.crt", "manifest.json"];

let bundles: readonly [Bundle, Bundle];

before(async () => {
  bundles = (await makeBundles(2)) as [Bundle, Bundle];
});

async function useLive(t: TestContext) {
  const at = await useStore(t);
  const older = await makeLive(at.store, bundles[1]);
  const live = await makeLive(at.store, bundles[0]);
  const generations = join(at.options.dir, "mesh", ".generations");
  const outside = join(at.options.dir, "..", "outside");
  mkdirSync(outside);
  return { ...at, older, live, folder: join(generations, live.id), generations, outside };
}

/** Content, inode, mode, owner and modification time: a change time tells of names, too. */
async function stateOf(folder: string): Promise<readonly unknown[]> {
  const { mtimeMs } = lstatSync(folder);
  const times = FILES.map((file) => lstatSync(join(folder, file), { throwIfNoEntry: false })?.mtimeMs);
  return [...pictureOf(folder), mtimeMs, ...times];
}

describe("a hard link in place of a file", () => {
  it("to a file of somebody else is replaced by an audit's repair, and that file stays as it is", async (t) => {
    const { store, live, folder, outside } = await useLive(t);
    for (const file of FILES) {
      rmSync(join(folder, file));
      writeFileSync(join(outside, file), "somebody else's", { mode: 0o644 });
      chmodSync(join(outside, file), 0o604);
      linkSync(join(outside, file), join(folder, file));
    }
    const before = await stateOf(outside);

    assert.deepEqual(await store.repair(bundles[0].name, bundles[0]), live);

    assert.deepEqual(await stateOf(outside), before);
    assert.deepEqual(await store.audit(bundles[0].name), []);
    for (const file of FILES) assert.equal(lstatSync(join(folder, file)).nlink, 1);
  });

  it("that has the right bytes is replaced, its mode untouched, and misleads no service", async (t) => {
    const { store, live, folder, outside } = await useLive(t);
    for (const file of FILES) {
      linkSync(join(folder, file), join(outside, file));
      chmodSync(join(outside, file), 0o666);
    }
    const before = await stateOf(outside);
    const found = await store.audit(bundles[0].name);
    const messages = found.map(({ message }) => message);
    assert.equal(messages.length, FILES.length);
    for (const [i, file] of FILES.entries()) {
      assert.ok(messages[i]?.startsWith(`${join(folder, file)} has a second name elsewhere (a hard link)`));
    }
    assert.match(messages[1] ?? "", /tls\.key .*readable by others: consider the key exposed/);
    assert.ok(found.every(({ misleads }) => !misleads));

    assert.deepEqual(await store.repair(bundles[0].name, null), live);

    assert.deepEqual(await stateOf(outside), before);
    assert.deepEqual(await store.audit(bundles[0].name), []);
  });

  it("of an earlier generation keeps nobody from going back to it, and its mode is not set", async (t) => {
    const { store, older, generations, outside } = await useLive(t);
    const key = join(generations, older.id, "tls.key");
    linkSync(key, join(outside, "tls.key"));
    chmodSync(key, 0o666);
    const before = await stateOf(outside);

    await store.rollBack(bundles[0].name, older.id, { cause: "operator", why: "because" });

    assert.equal(store.current(bundles[0].name)?.id, older.id);
    assert.deepEqual(await stateOf(outside), before);
    await store.repair(bundles[0].name, null);
    assert.deepEqual(await stateOf(outside), before);
    assert.deepEqual([lstatSync(key).nlink, lstatSync(key).mode & 0o777], [1, 0o600]);
  });

  it("that appears just before its mode is set is not chmodded either", async (t) => {
    const folder = await useFolder(t);
    writeFileSync(join(folder, "theirs"), "somebody else's");
    chmodSync(join(folder, "theirs"), 0o644);
    linkSync(join(folder, "theirs"), join(folder, "tls.key"));
    const before = await fingerprintTree(folder);
    const owner = { uid: undefined, gid: undefined };

    await assert.rejects(setAccess(join(folder, "tls.key"), { mode: 0o600, owner }), {
      code: "STORE_UNSAFE",
      message: /tls\.key has a second name elsewhere \(a hard link\): remove it/,
    });

    assert.deepEqual(await fingerprintTree(folder), before);
    assert.equal(readFileSync(join(folder, "theirs"), "utf8"), "somebody else's");
  });
});
