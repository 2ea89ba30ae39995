import assert from "node:assert/strict";
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import { filesOf } from "../../src/store/layout.ts";
import { fingerprintTree } from "../support/mtimes.ts";
import { changeOneByte, makeBundles, makeLive, modeOf, useStore } from "../support/store.ts";

let bundles: [Bundle, Bundle];
let name: Bundle["name"];

before(async () => {
  bundles = (await makeBundles(2)) as [Bundle, Bundle];
  name = bundles[0].name;
});

async function useLive(t: TestContext) {
  const at = await useStore(t);
  const older = await makeLive(at.store, bundles[1]);
  const live = await makeLive(at.store, bundles[0]);
  const dir = join(at.options.dir, "mesh");
  const generations = join(dir, ".generations");
  const folder = join(generations, live.id);
  const elsewhere = join(at.options.dir, "..", "elsewhere");
  return { ...at, live, older, dir, generations, folder, elsewhere };
}

type Live = Awaited<ReturnType<typeof useLive>>;

const KEY = (bundle: Bundle) => bundle.identity?.privateKeyPem.reveal() ?? "";

describe("a repair", () => {
  it("touches nothing where nothing is wrong", async (t) => {
    const { store, live, dir } = await useLive(t);
    const before = await fingerprintTree(dir);

    assert.deepEqual(await store.repair(name, bundles[0]), live);

    assert.deepEqual(await fingerprintTree(dir), before);
  });

  it("puts right what is wrong, and touches nothing else", async (t) => {
    const { store, live, folder } = await useLive(t);
    const before = await lstat(join(folder, "tls.crt"), { bigint: true });
    await truncate(join(folder, "tls.key"), 100);

    assert.deepEqual(await store.repair(name, bundles[0]), live);

    assert.equal(await readFile(join(folder, "tls.key"), "utf8"), KEY(bundles[0]));
    assert.equal((await lstat(join(folder, "tls.crt"), { bigint: true })).ctimeNs, before.ctimeNs);
  });

  /** Whatever is done, a repair leaves the bundle as an audit wants it, with this generation current. */
  const damages: Readonly<Record<string, (live: Live) => Promise<unknown>>> = {
    "a changed certificate": ({ folder }) => changeOneByte(join(folder, "tls.crt")),
    "all files gone": async ({ folder }) => {
      for (const file of await readdir(folder)) await rm(join(folder, file));
    },
    "the manifest gone": ({ folder }) => rm(join(folder, "manifest.json")),
    "a manifest that says something else": ({ folder }) => writeFile(join(folder, "manifest.json"), "{}"),
    "a link in place of the manifest": async ({ folder }) => {
      await rm(join(folder, "manifest.json"));
      await symlink("/etc/hostname", join(folder, "manifest.json"));
    },
    "every mode taken away": async ({ dir, generations, folder }) => {
      for (const file of await readdir(folder)) await chmod(join(folder, file), 0);
      for (const path of [folder, generations, dir]) await chmod(path, 0);
    },
    "every mode too open": async ({ dir, generations, folder }) => {
      for (const file of await readdir(folder)) await chmod(join(folder, file), 0o777);
      for (const path of [folder, generations, dir]) await chmod(path, 0o777);
    },
    "every link gone": async ({ dir }) => {
      for (const link of ["current", "tls.crt", "tls.key", "tls.pem", "ca.crt"]) await rm(join(dir, link));
    },
    "every link led astray": async ({ dir }) => {
      for (const link of ["current", "tls.crt", "tls.key", "tls.pem", "ca.crt"]) {
        await rm(join(dir, link));
        await symlink("/etc", join(dir, link));
      }
    },
    "empty folders in place of links": async ({ dir }) => {
      for (const link of ["current", "tls.key"]) {
        await rm(join(dir, link));
        await mkdir(join(dir, link));
      }
    },
    "links too many": async ({ dir }) => {
      await symlink("/etc/hostname", join(dir, "ca.crl"));
    },
    "an empty folder in place of a file": async ({ folder }) => {
      await rm(join(folder, "tls.key"));
      await mkdir(join(folder, "tls.key"));
    },
  };
  for (const [what, damage] of Object.entries(damages)) {
    it(`puts right ${what}`, async (t) => {
      const all = await useLive(t);
      await damage(all);
      assert.notDeepEqual(await all.store.audit(name), []);

      assert.deepEqual(await all.store.repair(name, bundles[0]), all.live);

      assert.deepEqual(await all.store.audit(name), []);
      const again = await all.reopen();
      assert.deepEqual(again.current(name), all.live);
      for (const { name: file, content } of filesOf(bundles[0])) {
        assert.equal(await readFile(join(all.dir, file), "utf8"), content);
      }
    });
  }

  it("never writes through a link in place of a file", async (t) => {
    const { store, folder, elsewhere } = await useLive(t);
    await writeFile(elsewhere, "somebody else's", { mode: 0o644 });
    await rm(join(folder, "tls.key"));
    await symlink(elsewhere, join(folder, "tls.key"));

    await store.repair(name, null);

    assert.ok((await lstat(join(folder, "tls.key"))).isFile());
    assert.equal(await readFile(elsewhere, "utf8"), "somebody else's");
    assert.equal(await modeOf(elsewhere), "644");
  });

  it("gives files back to their owner", async (t) => {
    if (process.getuid?.() !== 0) return t.skip("only root can give files away");
    const { store, options } = await useStore(t, { owner: { uid: 0, gid: 0 } });
    const live = await makeLive(store, bundles[0]);
    const folder = join(options.dir, "mesh", ".generations", live.id);
    for (const path of [folder, join(folder, "tls.key")]) await chown(path, 65_534, 65_534);

    await store.repair(name, null);

    const { uid, gid } = await lstat(join(folder, "tls.key"));
    assert.deepEqual([uid, gid, await modeOf(join(folder, "tls.key"))], [0, 0, "600"]);
  });

  it("works for a user who cannot even open what lost its mode", async (t) => {
    const nobody = 65_534;
    const { store, options } = await useStore(t);
    const live = await makeLive(store, bundles[0]);
    const folder = join(options.dir, "mesh", ".generations", live.id);
    if (process.geteuid?.() === 0) {
      const tree = (await readdir(options.dir, { recursive: true })).map((path) => join(options.dir, path));
      for (const path of [join(options.dir, ".."), options.dir, ...tree]) {
        if (!(await lstat(path)).isSymbolicLink()) await chown(path, nobody, nobody);
      }
      process.seteuid?.(nobody);
      t.after(() => process.seteuid?.(0));
    }
    await chmod(join(folder, "tls.key"), 0o000);
    await chmod(join(folder, "tls.pem"), 0o000);
    const messages = (await store.audit(name)).map(({ message }) => message.replace(/.*\//, ""));
    assert.deepEqual(messages, [
      "tls.key has mode 0000 instead of 0600",
      "tls.pem has mode 0000 instead of 0600",
    ]);
    await chmod(folder, 0o000);

    assert.deepEqual(await store.repair(name, null), live);

    assert.deepEqual(await Promise.all([folder, join(folder, "tls.key")].map(modeOf)), ["700", "600"]);
  });
});

describe("a repair without the bundle", () => {
  for (const files of [["tls.pem"], ["tls.key"], ["tls.crt"], ["tls.key", "tls.crt"]]) {
    it(`makes ${files.join(" and ")} of what is left`, async (t) => {
      const { store, live, folder } = await useLive(t);
      for (const file of files) await truncate(join(folder, file), 7);

      assert.deepEqual(await store.repair(name, null), live);

      assert.deepEqual(await store.audit(name), []);
      assert.equal(await modeOf(join(folder, "tls.key")), "600");
    });
  }

  it("takes a root from an older generation that has the same", async (t) => {
    const { store, live, folder } = await useLive(t);
    await rm(join(folder, "ca.crt"));

    assert.deepEqual(await store.repair(name, null), live);
  });

  it("says which file is lost and what to do, and puts everything else right", async (t) => {
    const { store, live, dir, folder } = await useLive(t);
    for (const file of ["tls.key", "tls.pem"]) await truncate(join(folder, file), 7);
    await rm(join(folder, "ca.crt"));
    await rm(join(dir, "tls.crt"));
    await chmod(join(folder, "tls.crt"), 0o600);

    await assert.rejects(store.repair(name, null), (thrown: Error & { code: string }) => {
      assert.equal(thrown.code, "STORE_FAILED");
      assert.match(thrown.message, /tls\.key has 7 bytes.*put the bundle again, or wait until etcd/);
      assert.match(thrown.message, /tls\.pem has 7 bytes/);
      assert.doesNotMatch(thrown.message, /PRIVATE|ca\.crt|tls\.crt/);
      return true;
    });

    const left = (await store.audit(name)).map(({ message }) => message.replace(/.*\/(\S+) .*/, "$1"));
    assert.deepEqual(left, ["tls.key", "tls.pem"]);
    assert.deepEqual(store.current(name), live);
    assert.deepEqual(await store.repair(name, bundles[0]), live);
  });

  it("is one where the bundle has other content", async (t) => {
    const { store, folder } = await useLive(t);
    for (const file of ["tls.key", "tls.pem"]) await truncate(join(folder, file), 7);

    await assert.rejects(store.repair(name, bundles[1]), { code: "STORE_FAILED" });
  });

  it("does not remove what somebody put in a folder that stands where a file belongs", async (t) => {
    const { store, folder } = await useLive(t);
    await rm(join(folder, "tls.key"));
    await mkdir(join(folder, "tls.key"));
    await writeFile(join(folder, "tls.key", "mine"), "mine");

    await assert.rejects(store.repair(name, bundles[0]), {
      message: /folder with something in it.*move it away/,
    });

    assert.equal(await readFile(join(folder, "tls.key", "mine"), "utf8"), "mine");
  });

  it("of a bundle that is not there says that it has to be put", async (t) => {
    const { store } = await useStore(t);

    await assert.rejects(store.repair(name, bundles[0]), { code: "STORE_FAILED", message: /put the bundle/ });
  });
});

describe("a generation whose folder is gone", () => {
  const gone: Readonly<Record<string, (live: Live) => Promise<unknown>>> = {
    "its own": ({ folder }) => rm(folder, { recursive: true }),
    "that of all generations": ({ generations }) => rm(generations, { recursive: true }),
    "that of the bundle": ({ dir }) => rm(dir, { recursive: true }),
    "its own, and `current` an empty one": async ({ folder, dir }) => {
      await rm(folder, { recursive: true });
      await rm(join(dir, "current"));
      await mkdir(join(dir, "current"));
    },
    "its own, for a link": async ({ folder, elsewhere }) => {
      await rename(folder, elsewhere);
      await symlink(elsewhere, folder);
    },
    "that of the bundle, for a link": async ({ dir, elsewhere }) => {
      await rename(dir, elsewhere);
      await symlink(elsewhere, dir);
    },
    "that of all generations, for a file": async ({ generations }) => {
      await rm(generations, { recursive: true });
      await writeFile(generations, "mine");
    },
  };
  for (const [what, damage] of Object.entries(gone)) {
    it(`comes back as a new one that services are told of: ${what}`, async (t) => {
      const all = await useLive(t);
      await damage(all);

      const renewed = await all.store.repair(name, bundles[0]);

      assert.deepEqual([renewed.state, renewed.digest], ["current", all.live.digest]);
      assert.ok(renewed.id > all.live.id);
      assert.deepEqual(renewed.leaf, all.live.leaf);
      assert.deepEqual(await all.store.audit(name), []);
      assert.equal(await readlink(join(all.dir, "current")), `.generations/${renewed.id}`);
      assert.ok(!all.store.history(name).some(({ id }) => id === all.live.id));
      const live = await all.store.recordLive(renewed);
      assert.deepEqual((await all.reopen()).current(name), live);
    });
  }

  it("leaves alone what a link in its place led to", async (t) => {
    const { store, dir, elsewhere } = await useLive(t);
    await rename(dir, elsewhere);
    await cp(elsewhere, `${elsewhere}-before`, { recursive: true, verbatimSymlinks: true });
    await symlink(elsewhere, dir);

    await store.repair(name, bundles[0]);

    const [now, then] = await Promise.all(
      [elsewhere, `${elsewhere}-before`].map((folder) => readdir(folder, { recursive: true })),
    );
    assert.deepEqual(now?.sort(), then?.sort());
  });

  it("is lost without the bundle, and the error says so", async (t) => {
    const { store, live, folder } = await useLive(t);
    await rm(folder, { recursive: true });

    await assert.rejects(store.repair(name, null), {
      code: "STORE_FAILED",
      message: /is gone.*put the bundle again/,
    });

    assert.deepEqual(store.current(name), live);
  });

  it("comes back without the bundle where another generation has the same content", async (t) => {
    const { store, options } = await useStore(t);
    const trust: Bundle = { ...bundles[0], identity: null };
    const first = await makeLive(store, trust);
    const second = await makeLive(store, { ...trust, digest: bundles[1].digest });
    await rm(join(options.dir, "mesh", ".generations", second.id), { recursive: true });

    const renewed = await store.repair(name, null);

    assert.deepEqual([renewed.state, renewed.digest], ["current", second.digest]);
    assert.deepEqual(store.previous(name), first);
  });

  it("keeps what was told of its end", async (t) => {
    const { store, folder } = await useLive(t);
    await store.recordWarned(name, ["30d"]);
    await rm(folder, { recursive: true });

    await store.repair(name, bundles[0]);

    assert.deepEqual(store.warned(name), ["30d"]);
  });

  it("is written anew by the next reload where it was to be recorded as live", async (t) => {
    const { store, options } = await useStore(t);
    const current = await store.activate(await store.stage(bundles[0]));
    await rm(join(options.dir, "mesh", ".generations", current.id), { recursive: true });

    await assert.rejects(store.recordLive(current), { code: "STORE_FAILED", message: /is gone from disk/ });

    assert.equal(store.current(name), undefined);
  });
});
