import assert from "node:assert/strict";
import fs from "node:fs";
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import type { Bundle } from "../../src/core/bundle.ts";
import { fingerprintTree } from "../support/mtimes.ts";
import { changeOneByte, makeBundles, makeCurrent, makeLive, useStore } from "../support/store.ts";

let bundles: [Bundle, Bundle];
let name: Bundle["name"];

before(async () => {
  bundles = (await makeBundles(2)) as [Bundle, Bundle];
  name = bundles[0].name;
});

/** A live bundle, and where it is. */
async function useLive(t: TestContext, now?: () => Date) {
  const clock = now && { now, monotonicMs: () => 0, sleep: () => Promise.resolve() };
  const at = await useStore(t, clock && { clock });
  const older = await makeLive(at.store, bundles[1]);
  const live = await makeLive(at.store, bundles[0]);
  const dir = join(at.options.dir, "mesh");
  const generations = join(dir, ".generations");
  return { ...at, live, older, dir, generations, folder: join(generations, live.id) };
}

type Live = Awaited<ReturnType<typeof useLive>>;

/** What somebody does to a bundle, and what an audit has to say of it. */
const DRIFTS: readonly {
  readonly what: string;
  readonly damage: (live: Live) => Promise<unknown>;
  readonly says: RegExp;
  readonly misleads: boolean;
}[] = [
  {
    what: "a truncated key",
    damage: ({ folder }) => truncate(join(folder, "tls.key"), 100),
    says: /tls\.key has 100 bytes instead of \d+/,
    misleads: true,
  },
  {
    what: "a certificate that was changed and is as long as before",
    damage: ({ folder }) => changeOneByte(join(folder, "tls.crt")),
    says: /tls\.crt is not what was written/,
    misleads: true,
  },
  {
    what: "a file that is gone",
    damage: ({ folder }) => rm(join(folder, "ca.crt")),
    says: /ca\.crt is gone/,
    misleads: true,
  },
  {
    what: "a link in place of a file, though it leads to the same bytes",
    damage: async ({ folder }) => {
      await rename(join(folder, "tls.key"), join(folder, "elsewhere"));
      await symlink("elsewhere", join(folder, "tls.key"));
    },
    says: /tls\.key is a symbolic link, not a file of its own/,
    misleads: true,
  },
  {
    what: "a folder in place of a file",
    damage: async ({ folder }) => {
      await rm(join(folder, "tls.crt"));
      await mkdir(join(folder, "tls.crt"));
    },
    says: /tls\.crt is a folder/,
    misleads: true,
  },
  {
    what: "a key that others may read",
    damage: ({ folder }) => chmod(join(folder, "tls.key"), 0o644),
    says: /tls\.key has mode 0644 instead of 0600: it was readable by others: consider the key exposed/,
    misleads: false,
  },
  {
    what: "a key that its group may read",
    damage: ({ folder }) => chmod(join(folder, "tls.pem"), 0o640),
    says: /tls\.pem has mode 0640 instead of 0600: it was readable by its group: consider the key exposed/,
    misleads: false,
  },
  {
    what: "a certificate with another mode, which gives no secret away",
    damage: ({ folder }) => chmod(join(folder, "tls.crt"), 0o666),
    says: /tls\.crt has mode 0666 instead of 0644$/,
    misleads: false,
  },
  {
    what: "a certificate that nobody may read",
    damage: ({ folder }) => chmod(join(folder, "tls.crt"), 0o600),
    says: /tls\.crt has mode 0600 instead of 0644$/,
    misleads: true,
  },
  {
    what: "a folder that others may look into",
    damage: ({ folder }) => chmod(folder, 0o755),
    says: /has mode 0755 instead of 0700$/,
    misleads: false,
  },
  {
    what: "a folder that nobody may look into",
    damage: ({ dir }) => chmod(dir, 0o000),
    says: /mesh has mode 0000 instead of 0700$/,
    misleads: true,
  },
  {
    what: "the folder of the generation gone",
    damage: ({ folder }) => rm(folder, { recursive: true }),
    says: /is gone$/,
    misleads: true,
  },
  {
    what: "a link in place of the folder, though it leads to it",
    damage: async ({ folder, dir }) => {
      await rename(folder, join(dir, "elsewhere"));
      await symlink("../elsewhere", folder);
    },
    says: /is a symbolic link, not a folder/,
    misleads: true,
  },
  {
    what: "the bundle's folder gone",
    damage: ({ dir }) => rm(dir, { recursive: true }),
    says: /mesh is gone$/,
    misleads: true,
  },
  {
    what: "`current` gone",
    damage: ({ dir }) => rm(join(dir, "current")),
    says: /current is gone/,
    misleads: true,
  },
  {
    what: "`current` at an older generation",
    damage: async ({ dir, older }) => {
      await rm(join(dir, "current"));
      await symlink(`.generations/${older.id}`, join(dir, "current"));
    },
    says: /current leads to \.generations\/000001-\w+ instead of \.generations\/000002-/,
    misleads: true,
  },
  {
    what: "a link of a file gone",
    damage: ({ dir }) => rm(join(dir, "tls.pem")),
    says: /tls\.pem is gone/,
    misleads: true,
  },
  {
    what: "a link of a file that leads elsewhere",
    damage: async ({ dir }) => {
      await rm(join(dir, "tls.key"));
      await symlink("/etc/hostname", join(dir, "tls.key"));
    },
    says: /tls\.key leads to \/etc\/hostname instead of current\/tls\.key/,
    misleads: true,
  },
  {
    what: "a file in place of a link",
    damage: async ({ dir }) => {
      await rm(join(dir, "tls.crt"));
      await writeFile(join(dir, "tls.crt"), "mine");
    },
    says: /tls\.crt is a file, not a link to current\/tls\.crt/,
    misleads: true,
  },
  {
    what: "a link too many",
    damage: ({ dir }) => symlink("current/ca.crl", join(dir, "ca.crl")),
    says: /ca\.crl is there, and the current generation has no such file/,
    misleads: true,
  },
  {
    what: "the manifest gone",
    damage: ({ folder }) => rm(join(folder, "manifest.json")),
    says: /manifest\.json is gone/,
    misleads: false,
  },
  {
    what: "a manifest that says something else",
    damage: async ({ folder }) => {
      const path = join(folder, "manifest.json");
      await writeFile(path, (await readFile(path, "utf8")).replace('"live"', '"staged"'));
    },
    says: /manifest\.json is not what was written/,
    misleads: false,
  },
  {
    what: "a manifest that is larger than anybody should read",
    damage: ({ folder }) => truncate(join(folder, "manifest.json"), 2 ** 32),
    says: /manifest\.json is not what was written/,
    misleads: false,
  },
  {
    what: "a manifest that is none",
    damage: ({ folder }) => appendFile(join(folder, "manifest.json"), "}"),
    says: /manifest\.json is not what was written/,
    misleads: false,
  },
];

describe("an audit", () => {
  it("finds nothing where nothing was changed, and changes nothing", async (t) => {
    const { store, dir } = await useLive(t);
    const before = await fingerprintTree(dir);

    assert.deepEqual(await store.audit(name), []);

    assert.deepEqual(await fingerprintTree(dir), before);
  });

  for (const { what, damage, says, misleads } of DRIFTS) {
    it(`sees ${what}`, async (t) => {
      const live = await useLive(t);
      await live.store.audit(name);
      await damage(live);

      const findings = await live.store.audit(name);

      assert.equal(findings.length, 1, JSON.stringify(findings));
      assert.match(findings[0]?.message ?? "", says);
      assert.equal(findings[0]?.misleads, misleads);
    });
  }

  it("sees everything that is wrong at once", async (t) => {
    const { store, folder, dir } = await useLive(t);
    await truncate(join(folder, "tls.key"), 1);
    await chmod(join(folder, "tls.key"), 0o604);
    await rm(join(folder, "ca.crt"));
    await rm(join(dir, "current"));

    const findings = await store.audit(name);

    assert.equal(findings.length, 4);
  });

  it("sees another owner than the one that is set", async (t) => {
    if (process.getuid?.() !== 0) return t.skip("only root can give files away");
    const { store, options } = await useStore(t, { owner: { uid: 0, gid: 0 } });
    const live = await makeLive(store, bundles[0]);
    await chown(join(options.dir, "mesh", ".generations", live.id, "tls.key"), 65_534, 65_534);

    const [finding] = await store.audit(name);

    assert.match(finding?.message ?? "", /tls\.key belongs to 65534:65534 instead of 0:0/);
    assert.equal(finding?.misleads, true);
  });

  it("goes by the mode that is set now, not by the one at the time of writing", async (t) => {
    const { store, options, reopen } = await useStore(t);
    await makeLive(store, bundles[0]);
    Object.assign(options, { mode: 0o640 });

    const findings = await (await reopen()).audit(name);

    assert.deepEqual(
      findings.map(({ message }) => message.replace(/.*\//, "")),
      ["tls.key has mode 0600 instead of 0640", "tls.pem has mode 0600 instead of 0640"],
    );
  });

  it("of a generation whose services are still to be told is the same", async (t) => {
    const { store, options } = await useStore(t);
    const current = await makeCurrent(store, bundles[0]);
    assert.deepEqual(await store.audit(name), []);

    await truncate(join(options.dir, "mesh", ".generations", current.id, "tls.crt"), 0);

    assert.equal((await store.audit(name)).length, 1);
  });

  it("of a bundle that is not there finds nothing", async (t) => {
    const { store } = await useStore(t);

    assert.deepEqual(await store.audit(name), []);
  });
});

describe("an audit of files that did not change", () => {
  /** Counts the files that are opened meanwhile. */
  async function countOpens(task: () => Promise<unknown>): Promise<number> {
    const { openSync } = fs;
    let opens = 0;
    fs.openSync = (...args: Parameters<typeof openSync>) => {
      opens++;
      return openSync(...args);
    };
    syncBuiltinESMExports();
    try {
      await task();
    } finally {
      fs.openSync = openSync;
      syncBuiltinESMExports();
    }
    return opens;
  }
  const later = () => new Date(Date.now() + 3_600_000);

  it("opens none of them", async (t) => {
    const { store } = await useLive(t, later);

    assert.equal(await countOpens(() => store.audit(name)), 5);
    assert.equal(await countOpens(() => store.audit(name)), 0);
  });

  it("opens those that were touched, and sees a change that hides its time", async (t) => {
    const { store, folder } = await useLive(t, later);
    await store.audit(name);
    const path = join(folder, "tls.crt");
    const { atime, mtime } = fs.statSync(path);
    await changeOneByte(path);
    await utimes(path, atime, mtime);

    let findings: readonly unknown[] = [];
    const opens = await countOpens(async () => {
      findings = await store.audit(name);
    });

    assert.equal(opens, 1);
    assert.equal(findings.length, 1);
  });

  it("opens them again while they may yet change within the same tick", async (t) => {
    const { store } = await useLive(t, () => new Date());

    assert.equal(await countOpens(() => store.audit(name)), 5);
    assert.equal(await countOpens(() => store.audit(name)), 5);
  });

  it("opens those of the next generation", async (t) => {
    const { store } = await useLive(t, later);
    await store.audit(name);
    await makeLive(store, bundles[1]);

    assert.equal(await countOpens(() => store.audit(name)), 5);
  });
});
