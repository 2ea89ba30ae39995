import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { inspect } from "node:util";
import type { KeyturnError } from "../../src/core/errors.ts";
import { type BundleSource, followBundle } from "../../src/hot-swap/bundle-source.ts";
import { flipTo, forgeGeneration, readCurrent } from "../support/forged-generation.ts";
import { mint } from "../support/mint.ts";
import { type TurningBundle, useSource, useTurningBundle } from "../support/turning-bundle.ts";
import { until } from "../support/wait.ts";

/** Longer than any test: only the watch tells of changes. */
const NEVER_MS = 3_600_000;

async function setUp(t: TestContext, options: { readonly lookEveryMs?: number } = {}) {
  const bundle = await useTurningBundle(t);
  const first = await bundle.turn();
  const source = await useSource(t, bundle.dir, options);
  const refused: KeyturnError[] = [];
  source.on("refused", (error) => refused.push(error));
  const shows = (fingerprint256: string) =>
    until("it is taken", () => source.current.leaf?.fingerprint256 === fingerprint256);
  return { bundle, first, source, refused, shows };
}

describe("a bundle that is followed", () => {
  it("is loaded when it begins, and says what it is", async (t) => {
    const { first, source } = await setUp(t);
    const { bundle, generation, digest, leaf } = source.current;
    assert.deepEqual(
      [source.name, bundle, generation, digest],
      ["inference", "inference", first.generation.id, first.generation.digest],
    );
    assert.equal(leaf?.fingerprint256, first.fingerprint256);
  });

  it("tells of each generation by the watch alone", async (t) => {
    const { bundle, source, shows } = await setUp(t, { lookEveryMs: NEVER_MS });
    const seen: string[] = [];
    source.on("swapped", ({ generation }, tookMs) => {
      assert.ok(tookMs > 0);
      seen.push(generation);
    });
    const made: string[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const { generation, fingerprint256 } = await bundle.turn();
      made.push(generation.id);
      await shows(fingerprint256);
    }
    assert.deepEqual(seen, made);
  });

  it("is seen where the folder was removed, which ends the watch, and made again", async (t) => {
    const { bundle, refused, shows } = await setUp(t, { lookEveryMs: 20 });
    const aside = `${bundle.dir}-aside`;

    await rename(bundle.dir, aside);
    await until("it is missed", () => refused.length === 1);
    await rm(aside, { recursive: true });
    // The store still knows the bundle: it makes the folders again.
    const { fingerprint256 } = await bundle.turn();
    await shows(fingerprint256);
    assert.equal(refused[0]?.code, "BUNDLE_ABSENT");

    await shows((await bundle.turn()).fingerprint256);
  });

  it("is iterated: what is current, then what is newest, to the end", async (t) => {
    const { bundle, source, first, shows } = await setUp(t);
    const seen: string[] = [];
    const iterating = (async () => {
      for await (const { generation } of source) seen.push(generation);
    })();
    await until("the first is given", () => seen.length === 1);
    const second = await bundle.turn();
    await shows(second.fingerprint256);
    await until("the second is given", () => seen.length === 2);

    source.close();
    await iterating;
    assert.deepEqual(seen, [first.generation.id, second.generation.id]);
  });

  it("gives a reload what is current at the time it is asked, or later", async (t) => {
    const { bundle, source } = await setUp(t, { lookEveryMs: NEVER_MS });
    for (let turn = 0; turn < 20; turn++) {
      const running = source.reload();
      const { generation } = await bundle.turn();
      const [, after] = await Promise.all([running, source.reload()]);
      assert.equal(after.generation, generation.id);
    }
  });

  it("shows its key to nobody who prints it", async (t) => {
    const { source } = await setUp(t);
    for (const text of [inspect(source.current, { depth: 9 }), JSON.stringify(source.current)])
      assert.doesNotMatch(text, /PRIVATE KEY/);
    assert.match(source.current.tlsMaterial().key ?? "", /PRIVATE KEY/);
  });

  it("is not followed any longer once it is closed", async (t) => {
    const { bundle, first, source } = await setUp(t, { lookEveryMs: 5 });
    source.close();
    await bundle.turn();
    await until("some looks later", async () => (await source[Symbol.asyncIterator]().next()).done);
    assert.equal(source.current.generation, first.generation.id);
  });
});

describe("the first generation", () => {
  it("has to be there", async () => {
    const dir = await mkdtemp(join(tmpdir(), "keyturn-test-"));
    await assert.rejects(followBundle(dir), {
      code: "BUNDLE_ABSENT",
      message: /nothing is current in .*did keyturn write it/,
    });
    await rm(dir, { recursive: true });
  });

  it("is waited for, where that is wished", async (t) => {
    const bundle = await useTurningBundle(t);
    const following = followBundle(bundle.dir, { firstWithinMs: 60_000 });
    const { fingerprint256 } = await bundle.turn();
    const source = await following;
    t.after(() => source.close());
    assert.equal(source.current.leaf?.fingerprint256, fingerprint256);
  });

  it("is waited for no longer than wished, nor after the signal", async (t) => {
    const bundle = await useTurningBundle(t);
    await assert.rejects(followBundle(bundle.dir, { firstWithinMs: 150 }), { code: "BUNDLE_ABSENT" });
    const abort = new AbortController();
    const following = followBundle(bundle.dir, { firstWithinMs: NEVER_MS, signal: abort.signal });
    abort.abort(new Error("given up"));
    await assert.rejects(following, /given up/);
  });
});

/** What is made current, or done to what is, and what the refusal says. */
const DAMAGES: readonly (readonly [string, (bundle: TurningBundle) => Promise<void>, string, RegExp])[] = [
  [
    "a corrupt key",
    async ({ dir }) => {
      const key = (await readCurrent(dir, "tls.key")).replace(/[A-Za-z0-9+/]{8}/, "AAAAAAAA");
      await forgeGeneration(dir, "000900-00000000", {
        "tls.crt": await readCurrent(dir, "tls.crt"),
        "tls.key": key,
      });
    },
    "GENERATION_REFUSED",
    /cannot be used/,
  ],
  [
    "a mismatched pair",
    async ({ dir, root }) => {
      const cert = await readCurrent(dir, "tls.crt");
      await forgeGeneration(dir, "000900-00000000", {
        "tls.crt": cert,
        "tls.key": mint({ issuer: root }).keyPem,
      });
    },
    "GENERATION_REFUSED",
    /key values mismatch|does not belong/,
  ],
  [
    "a key of another kind than the certificate's",
    async ({ dir }) => {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      await forgeGeneration(dir, "000900-00000000", {
        "tls.crt": await readCurrent(dir, "tls.crt"),
        "tls.key": key,
      });
    },
    "GENERATION_REFUSED",
    /does not belong|mismatch/,
  ],
  [
    "a folder without a key",
    async ({ dir }) =>
      forgeGeneration(dir, "000900-00000000", { "tls.crt": await readCurrent(dir, "tls.crt") }),
    "GENERATION_REFUSED",
    /only one of tls\.crt and tls\.key/,
  ],
  [
    "a half-written folder",
    async ({ dir }) => {
      const manifest = (await readCurrent(dir, "manifest.json")).replace(
        /"id": "[^"]*"/,
        '"id": "000900-00000000"',
      );
      await forgeGeneration(dir, "000900-00000000", {
        "manifest.json": manifest,
        "tls.crt": (await readCurrent(dir, "tls.crt")).slice(0, 100),
      });
    },
    "GENERATION_REFUSED",
    /tls\.crt is not what its manifest says: it was cut short or changed|tls\.key cannot be read \(ENOENT\)/,
  ],
  [
    "a folder without a manifest",
    async ({ dir }) => forgeGeneration(dir, "000900-00000000", { "manifest.json": "{", "tls.crt": "" }),
    "GENERATION_REFUSED",
    /is no manifest of keyturn/,
  ],
  [
    "an unreadable file",
    async (bundle) => {
      // A folder in the file's place: unreadable for root too.
      const id = "000900-00000000";
      const key = await readCurrent(bundle.dir, "tls.key");
      const cert = await readCurrent(bundle.dir, "tls.crt");
      await forgeGeneration(bundle.dir, id, { "tls.crt": cert, "tls.key": key });
      await unlink(join(bundle.dir, ".generations", id, "tls.key"));
      await mkdir(join(bundle.dir, ".generations", id, "tls.key"));
    },
    "GENERATION_REFUSED",
    /tls\.key cannot be read \(EISDIR\)/,
  ],
  [
    "a deleted folder",
    async ({ dir }) => rm(dir, { recursive: true }),
    "BUNDLE_ABSENT",
    /nothing is current/,
  ],
  [
    "a deleted folder of generations",
    async ({ dir }) => rm(join(dir, ".generations"), { recursive: true }),
    "BUNDLE_ABSENT",
    /nothing is current/,
  ],
  [
    "a certificate that was cut short",
    async ({ dir }) => {
      const id = "000900-00000000";
      await forgeGeneration(dir, id, {
        "tls.crt": await readCurrent(dir, "tls.crt"),
        "tls.key": await readCurrent(dir, "tls.key"),
      });
      await truncate(join(dir, ".generations", id, "tls.crt"), 50);
    },
    "GENERATION_REFUSED",
    /tls\.crt is not what its manifest says/,
  ],
];

describe("a generation that cannot be used", () => {
  for (const [what, damage, code, message] of DAMAGES) {
    it(`is refused, told of once, and passed over for the next good one: ${what}`, async (t) => {
      const { bundle, first, source, refused, shows } = await setUp(t, { lookEveryMs: NEVER_MS });
      await damage(bundle);

      await assert.rejects(source.reload(), { code, message });
      await assert.rejects(source.reload(), { code, message });
      assert.equal(source.current.generation, first.generation.id);
      assert.deepEqual(
        refused.map((error) => error.code),
        [code],
      );
      assert.doesNotMatch(JSON.stringify(refused.map(String)), /PRIVATE KEY/);

      const { fingerprint256 } = await bundle.turn();
      await source.reload();
      await shows(fingerprint256);
    });
  }

  it("is told of once where several of its files are broken, whichever is read first", async (t) => {
    const { bundle, source, refused } = await setUp(t, { lookEveryMs: NEVER_MS });
    const id = "000900-00000000";
    const [cert, key] = await Promise.all([
      readCurrent(bundle.dir, "tls.crt"),
      readCurrent(bundle.dir, "tls.key"),
    ]);
    await forgeGeneration(bundle.dir, id, { "tls.crt": cert, "tls.key": key });
    await truncate(join(bundle.dir, ".generations", id, "tls.crt"), 50);
    await unlink(join(bundle.dir, ".generations", id, "tls.key"));

    for (let look = 0; look < 30; look++) await assert.rejects(source.reload());

    assert.equal(refused.length, 1, refused.map(String).join("\n"));
    // Though that the key is missing is known sooner.
    assert.match(refused[0]?.message ?? "", /tls\.crt is not what/);
  });

  it("is taken where it is put right in its place, at the next look", async (t) => {
    const { bundle, first, source, refused } = await setUp(t, { lookEveryMs: 20 });
    const second = await bundle.turn();
    await until("it is taken", () => source.current.generation === second.generation.id);
    const path = join(bundle.dir, ".generations", first.generation.id, "tls.key");
    const key = await readCurrent(bundle.dir, "tls.key");
    const right = await readFile(path, "utf8");
    await writeFile(path, key);
    await flipTo(bundle.dir, first.generation.id);
    await until("it is refused", () => refused.length === 1);
    assert.equal(source.current.generation, second.generation.id);

    await writeFile(path, right);

    await until("it is taken", () => source.current.generation === first.generation.id);
    assert.equal(refused.length, 1);
  });

  it("is refused by all users where it is refused by one", async (t) => {
    const { bundle, first, source } = await setUp(t, { lookEveryMs: NEVER_MS });
    const taken: string[] = [];
    const user = (own: BundleSource) =>
      own.use({
        prepare:
          ({ generation }) =>
          () =>
            void taken.push(generation),
      });
    user(source);
    source.use({
      prepare: ({ generation }) => {
        if (generation !== first.generation.id) throw new Error("not for this server");
        return () => undefined;
      },
    });

    await bundle.turn();

    await assert.rejects(source.reload(), { code: "GENERATION_REFUSED", message: /not for this server/ });
    assert.deepEqual(taken, [first.generation.id]);
    assert.equal(source.current.generation, first.generation.id);
  });
});
