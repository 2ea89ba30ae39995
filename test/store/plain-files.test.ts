import assert from "node:assert/strict";
import { chmod, chown, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { Secret } from "../../src/core/secret.ts";
import type { PlainContent } from "../../src/store/plain-content.ts";
import {
  auditPlainFiles,
  lookUpPlainFiles,
  type PlainFile,
  type PlainFileSetting,
  writePlainFiles,
} from "../../src/store/plain-files.ts";
import type { GenerationPem } from "../../src/store/read-pem.ts";
import { crashAfter } from "../support/crash.ts";
import { useFolder } from "../support/folder.ts";
import { fingerprintTree } from "../support/mtimes.ts";
import { type BundleMaker, type BundlePems, createBundleMaker } from "../support/pki.ts";
import { changeOneByte, modeOf } from "../support/store.ts";

const DEFAULTS = { mode: 0o600, owner: { uid: undefined, gid: undefined } };
const ALL: readonly PlainContent[] = ["cert", "key", "chain", "fullchain", "combined", "ca", "crl"];
const CRLS = [
  "-----BEGIN X509 CRL-----\nb25l\n-----END X509 CRL-----\n",
  "-----BEGIN X509 CRL-----\ndHdv\n-----END X509 CRL-----\n",
];

let pki: BundleMaker;
let pems: [BundlePems, BundlePems];

before(async () => {
  pki = await createBundleMaker();
  pems = [await pki.make(), await pki.make()];
});

function pemOf({ chain, key, ca }: BundlePems): GenerationPem {
  return { identity: { chain, key: new Secret(key) }, trust: { anchors: ca, crls: CRLS } };
}

/** A folder of a service, with a file for each content in it. */
async function useFiles(
  t: TestContext,
  contents: readonly PlainContent[] = ALL,
  setting: Partial<PlainFileSetting> = {},
): Promise<{ folder: string; files: readonly PlainFile[]; path: (content: PlainContent) => string }> {
  const folder = join(await useFolder(t), "nginx");
  await mkdir(folder);
  const path = (content: PlainContent) => join(folder, `${content}.pem`);
  const settings = contents.map((content) => ({ path: path(content), content, ...setting }));
  return { folder, path, files: await lookUpPlainFiles(settings, DEFAULTS, "services[nginx].files") };
}

describe("plain files", () => {
  it("hold what they are said to", async (t) => {
    const { files, path } = await useFiles(t);
    const { chain, key, ca, leaf } = pems[0];

    const changed = await writePlainFiles(files, pemOf(pems[0]));

    const texts = await Promise.all(ALL.map((content) => readFile(path(content), "utf8")));
    assert.deepEqual(Object.fromEntries(ALL.map((content, i) => [content, texts[i]])), {
      cert: leaf.certificatePem,
      key,
      chain: pki.intermediate.certificatePem,
      fullchain: chain,
      combined: key + chain,
      ca,
      crl: CRLS.join(""),
    });
    assert.deepEqual(changed, ALL.map(path));
    assert.deepEqual(await auditPlainFiles(files, pemOf(pems[0])), []);
  });

  it("are 0644, and 0600 where they hold the key", async (t) => {
    const { files, path } = await useFiles(t);
    const before = process.umask(0o077);
    t.after(() => process.umask(before));

    await writePlainFiles(files, pemOf(pems[0]));

    const modes = await Promise.all(ALL.map((content) => modeOf(path(content))));
    assert.deepEqual(modes, ["644", "600", "644", "644", "600", "644", "644"]);
  });

  it("have the mode of the keys in the output folder, or the one that is given", async (t) => {
    const { folder } = await useFiles(t);
    const [key, cert] = await lookUpPlainFiles(
      [
        { path: join(folder, "a"), content: "key" },
        { path: join(folder, "b"), content: "cert", mode: 0o600 },
      ],
      { mode: 0o640, owner: { uid: 7, gid: 8 } },
      "services[nginx].files",
    );

    assert.deepEqual([key?.mode, cert?.mode], [0o640, 0o600]);
    assert.deepEqual(key?.owner, { uid: 7, gid: 8 });
  });

  it("belong to whom the setting names", async (t) => {
    if (process.getuid?.() !== 0) return t.skip("only root can give files away");
    const { files, path } = await useFiles(t, ["key"], { owner: "65534", group: "65533" });

    await writePlainFiles(files, pemOf(pems[0]));

    const { uid, gid } = await lstat(path("key"));
    assert.deepEqual([uid, gid], [65_534, 65_533]);
  });

  it("are not touched where they are right", async (t) => {
    const { files, folder } = await useFiles(t);
    await writePlainFiles(files, pemOf(pems[0]));
    const before = await fingerprintTree(folder);

    assert.deepEqual(await writePlainFiles(files, pemOf(pems[0])), []);

    assert.deepEqual(await fingerprintTree(folder), before);
  });

  it("are replaced one by one, each only where it differs", async (t) => {
    const { files, folder, path } = await useFiles(t);
    await writePlainFiles(files, pemOf(pems[0]));

    const changed = await writePlainFiles(files, pemOf(pems[1]));

    assert.deepEqual(
      changed,
      ["cert", "key", "fullchain", "combined"].map((one) => path(one as PlainContent)),
    );
    assert.equal(await readFile(path("combined"), "utf8"), pems[1].key + pems[1].chain);
    assert.equal((await readdir(folder)).length, ALL.length);
  });

  it("go where the bundle has nothing for them", async (t) => {
    const { files, folder } = await useFiles(t, ["cert", "chain", "ca", "crl"]);
    await writePlainFiles(files, pemOf(pems[0]));
    const { leaf, key } = pems[0];
    const bare: GenerationPem = {
      identity: { chain: leaf.certificatePem, key: new Secret(key) },
      trust: { anchors: "", crls: [] },
    };
    assert.equal((await auditPlainFiles(files, bare)).length, 3);

    await writePlainFiles(files, bare);

    assert.deepEqual(await readdir(folder), ["cert.pem"]);
    assert.deepEqual(await auditPlainFiles(files, bare), []);
    assert.deepEqual(await writePlainFiles(files, bare), []);
  });

  it("go where a bundle of trust takes the place of one with a leaf", async (t) => {
    const { files, folder } = await useFiles(t, ["key", "combined", "ca"]);
    await writePlainFiles(files, pemOf(pems[0]));

    await writePlainFiles(files, { ...pemOf(pems[0]), identity: null });

    assert.deepEqual(await readdir(folder), ["ca.pem"]);
  });
});

describe("a plain file", () => {
  const damages: Readonly<Record<string, readonly [(path: string) => Promise<unknown>, RegExp, boolean]>> = {
    "that was changed": [changeOneByte, /key\.pem does not hold the key of the bundle/, true],
    "that is gone": [(path) => rm(path), /key\.pem is gone/, true],
    "that others may read": [
      (path) => chmod(path, 0o644),
      /mode 0644 instead of 0600: it was readable by others: consider the key exposed/,
      false,
    ],
    "that is a link": [
      async (path) => {
        await writeFile(`${path}-elsewhere`, "somebody else's");
        await rm(path);
        await symlink(`${path}-elsewhere`, path);
      },
      /key\.pem is a symbolic link/,
      true,
    ],
  };
  for (const [what, [damage, says, misleads]] of Object.entries(damages)) {
    it(`${what} is found and put right`, async (t) => {
      const { files, path } = await useFiles(t, ["key", "cert"]);
      await writePlainFiles(files, pemOf(pems[0]));
      await damage(path("key"));

      const findings = await auditPlainFiles(files, pemOf(pems[0]));
      assert.equal(findings.length, 1);
      assert.match(findings[0]?.message ?? "", says);
      assert.equal(findings[0]?.misleads, misleads);

      assert.deepEqual(await writePlainFiles(files, pemOf(pems[0])), [path("key")]);
      assert.ok((await lstat(path("key"))).isFile());
      assert.deepEqual(await auditPlainFiles(files, pemOf(pems[0])), []);
    });
  }

  it("that somebody else owns is found and put right", async (t) => {
    if (process.getuid?.() !== 0) return t.skip("only root can give files away");
    const { files, path } = await useFiles(t, ["key"], { owner: "0" });
    await writePlainFiles(files, pemOf(pems[0]));
    await chown(path("key"), 65_534, 65_534);

    const [finding] = await auditPlainFiles(files, pemOf(pems[0]));
    await writePlainFiles(files, pemOf(pems[0]));

    assert.match(finding?.message ?? "", /belongs to 65534:65534/);
    assert.equal((await lstat(path("key"))).uid, 0);
  });

  it("takes the place of a link, and what the link led to stays", async (t) => {
    const { files, path, folder } = await useFiles(t, ["key", "crl"]);
    for (const content of ["key", "crl"] as const) {
      await writeFile(join(folder, `my-${content}`), "mine", { mode: 0o644 });
      await symlink(join(folder, `my-${content}`), path(content));
    }

    await writePlainFiles(files, { ...pemOf(pems[0]), trust: { anchors: "", crls: [] } });

    assert.equal(await readFile(join(folder, "my-key"), "utf8"), "mine");
    assert.equal(await modeOf(join(folder, "my-key")), "644");
    assert.deepEqual((await readdir(folder)).sort(), ["key.pem", "my-crl", "my-key"]);
  });

  it("is not written through a link that waits at its temporary name", async (t) => {
    const { files, folder } = await useFiles(t, ["key"]);
    await writeFile(join(folder, "mine"), "mine");
    await symlink(join(folder, "mine"), join(folder, ".key.pem.keyturn-new"));

    await writePlainFiles(files, pemOf(pems[0]));

    assert.equal(await readFile(join(folder, "mine"), "utf8"), "mine");
    assert.deepEqual((await readdir(folder)).sort(), ["key.pem", "mine"]);
  });

  it("leaves no copy of a key behind that a crash left beside what is right", async (t) => {
    const { files, folder } = await useFiles(t, ["key"]);
    await writePlainFiles(files, pemOf(pems[0]));
    await writeFile(join(folder, ".key.pem.keyturn-new"), pems[1].key, { mode: 0o600 });

    const findings = await auditPlainFiles(files, pemOf(pems[0]));
    await writePlainFiles(files, pemOf(pems[0]));

    assert.deepEqual(findings, [
      { message: `${folder}/.key.pem.keyturn-new is left of a write that was broken off`, misleads: false },
    ]);
    assert.deepEqual(await readdir(folder), ["key.pem"]);
  });

  it("does not take the place of a folder, and nothing else is written then", async (t) => {
    const { files, folder, path } = await useFiles(t, ["cert", "key"]);
    await mkdir(path("key"));

    await assert.rejects(writePlainFiles(files, pemOf(pems[0])), {
      code: "STORE_UNSAFE",
      message: /key\.pem is a folder, where a file belongs: move it away/,
    });

    assert.deepEqual(await readdir(folder), ["key.pem"]);
    const findings = await auditPlainFiles(files, pemOf(pems[0]));
    assert.deepEqual(
      findings.map(({ misleads }) => misleads),
      [true, true],
    );
  });

  it("in a folder that is not there says that it has to be made", async (t) => {
    const { files, folder } = await useFiles(t, ["cert"]);
    await rm(folder, { recursive: true });

    await assert.rejects(writePlainFiles(files, pemOf(pems[0])), {
      code: "STORE_FAILED",
      message: /there is no folder .*nginx; create it/,
    });
    assert.match((await auditPlainFiles(files, pemOf(pems[0])))[0]?.message ?? "", /cert\.pem is gone/);

    await writeFile(folder, "a file");
    await assert.rejects(writePlainFiles(files, pemOf(pems[0])), { message: /there is no folder/ });
    assert.equal((await auditPlainFiles(files, pemOf(pems[0]))).length, 1);
  });

  for (const content of ["key", "combined"] as const) {
    it(`is refused where everybody could read the ${content}`, async (t) => {
      await assert.rejects(useFiles(t, [content], { mode: 0o644 }), {
        code: "STORE_UNSAFE",
        message: new RegExp(`${content}\\.pem would hold a private key that everybody may read`),
      });
      const { files, folder } = await useFiles(t, [content]);
      const open = files.map((file) => ({ ...file, mode: 0o604 }));

      await assert.rejects(writePlainFiles(open, pemOf(pems[0])), { code: "STORE_UNSAFE" });

      assert.deepEqual(await readdir(folder), []);
    });
  }

  it("is refused where its path is given twice, or its owner is not known", async () => {
    const file = { path: "/run/a", content: "cert" } as const;

    await assert.rejects(lookUpPlainFiles([file, file], DEFAULTS, "services[nginx].files"), {
      code: "CONFIG_INVALID",
      message: "services[nginx].files: /run/a is given twice",
    });
    await assert.rejects(
      lookUpPlainFiles([{ ...file, owner: "no-such" }], DEFAULTS, "services[nginx].files"),
      {
        code: "CONFIG_INVALID",
        message: /services\[nginx\]\.files\.owner: this machine knows no no-such/,
      },
    );
  });
});

describe("a crash while plain files are replaced", () => {
  it("leaves each of them old or new, never half, and nothing that the next time does not clear up", async (t) => {
    const [old, next] = [pemOf(pems[0]), pemOf(pems[1])];
    let crashes = 0;
    for (let changes = 0, ended = false; !ended; changes++) {
      const { files, folder } = await useFiles(t, ["cert", "key", "combined"]);
      await writePlainFiles(files, old);

      const { crashed, thrown } = await crashAfter(changes, () => writePlainFiles(files, next));

      if (!crashed && thrown !== undefined) throw thrown;
      for (const file of files) {
        const ofOne = await Promise.all([old, next].map((pem) => auditPlainFiles([file], pem)));
        assert.ok(
          ofOne.some((findings) => !findings.some(({ misleads }) => misleads)),
          `${file.path} after ${changes} changes`,
        );
      }
      // Back to what it was: of the new key nothing may stay.
      await writePlainFiles(files, old);
      assert.deepEqual((await readdir(folder)).sort(), ["cert.pem", "combined.pem", "key.pem"]);
      ended = !crashed;
      if (crashed) crashes++;
    }
    assert.ok(crashes >= 9);
  });
});
