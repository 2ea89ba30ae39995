/** Values made to cost more than they are worth: the daemon answers all the while, and good bundles go live beside them. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { writePem } from "../../../src/core/pem.ts";
import { MAX_VALUE_BYTES } from "../../../src/core/snapshot.ts";
import { useDaemon } from "../../support/daemon.ts";
import { exportKey, lockBomb } from "../../support/locked-keys.ts";
import { mint, mintAuthority, mintCrl } from "../../support/mint.ts";
import { writePkcs12 } from "../../support/pkcs12.ts";
import { probeDuring } from "../../support/pulse.ts";
import { useStand } from "../../support/stand.ts";
import { until } from "../../support/wait.ts";
import { useWriter } from "../../support/writer.ts";

const PASSPHRASE = "open sesame";

async function setUp(t: TestContext) {
  const { etcd, folder, pki, settings } = await useStand(t);
  const passphraseFile = join(folder, "passphrase");
  await writeFile(passphraseFile, PASSPHRASE, { mode: 0o600 });
  const checks = { rules: [{ bundles: ["*"], passphraseFile }] };
  const daemon = await useDaemon(t, folder, { ...settings, checks });
  const untilRejected = (name: string) =>
    until(`${name} is rejected`, async () => {
      const bundle = await daemon.bundle(name);
      return bundle?.state === "rejected" ? bundle.problems.map(({ code }) => code) : undefined;
    });
  return { writer: useWriter(t, etcd.endpoint), daemon, pki, untilRejected };
}

/** Lists in lists, each with a length of four bytes. */
function nested(depth: number): Buffer {
  const bytes = Buffer.alloc(6 * depth);
  for (let at = 0; at < bytes.length; at += 6) {
    bytes.writeUInt16BE(0x3084, at);
    bytes.writeUInt32BE(bytes.length - at - 6, at + 2);
  }
  return bytes;
}

/** The same with lengths left open. */
function openNested(depth: number): Buffer {
  return Buffer.concat([Buffer.alloc(2 * depth, Buffer.from([0x30, 0x80])), Buffer.alloc(2 * depth)]);
}

describe("a passphrase that would take for ever to make a key of", () => {
  it("holds up neither the daemon nor another bundle with a passphrase", async (t) => {
    const { writer, daemon, untilRejected } = await setUp(t);
    const leaf = mint();
    const bombs = {
      pbkdf2: lockBomb({ iterations: 2_000_000_000 }),
      scrypt: lockBomb({ scrypt: [1 << 14, 8, 1 << 20] }),
    };
    const locked = exportKey(leaf.key.privateKey, "pkcs8", { cipher: "aes-256-cbc", passphrase: PASSPHRASE });
    // What is dear and allowed: each file makes several keys.
    const dear = writePkcs12({
      keys: [leaf.key.privateKey],
      certificates: [leaf.pem],
      passphrase: PASSPHRASE,
      iterations: 100_000,
    });

    const answered = await probeDuring(daemon.adminUrl, async () => {
      for (let round = 0; round < 4; round++) {
        for (const [name, key] of Object.entries(bombs))
          await writer.put(`/certs/${name}-${round}`, leaf.pem + key);
      }
      await writer.put("/certs/dear.p12", dear);
      await writer.put("/certs/good", leaf.pem + locked);
      await daemon.untilLive("good");
      for (const name of Object.keys(bombs))
        assert.deepEqual(await untilRejected(`${name}-3`), ["KEY_UNREADABLE"]);
      await daemon.untilLive("dear");
    });

    assert.ok(answered > 0);
  });
});

describe("values made to be dear", () => {
  it("such as long revocation lists and megabytes of nothing leave the daemon to answer and to rotate", async (t) => {
    const { writer, daemon, pki, untilRejected } = await setUp(t);
    const root = mintAuthority("Root");
    const leaf = mint({ issuer: root });
    const serial = (at: number) => Buffer.from(`4f${at.toString(16).padStart(14, "0")}`, "hex");
    const revoked = Array.from({ length: 20_000 }, (_, at) => ({ ...leaf, serial: serial(at) }));
    const list = mintCrl({ issuer: root, revoked });
    const begins = Buffer.alloc(MAX_VALUE_BYTES, "-----BEGIN CERTIFICATE-----\n");
    const rejected = {
      begins,
      dashes: Buffer.alloc(MAX_VALUE_BYTES, "-"),
      zeros: Buffer.alloc(MAX_VALUE_BYTES),
      random: randomBytes(MAX_VALUE_BYTES),
      lines: Buffer.alloc(MAX_VALUE_BYTES, "\n"),
      "deep-certificate": writePem("CERTIFICATE", nested(100_000)) + leaf.keyPem,
      "deep-key": leaf.pem + writePem("PRIVATE KEY", nested(100_000)),
      "deep-locked-key": leaf.pem + writePem("ENCRYPTED PRIVATE KEY", nested(100_000)),
      "deep-list": leaf.pem + leaf.keyPem + root.pem + writePem("X509 CRL", nested(100_000)),
      "open-ended-key": leaf.pem + writePem("PRIVATE KEY", openNested(100_000)),
      lists: Buffer.from(list).subarray(0, 500_000),
    };

    const answered = await probeDuring(daemon.adminUrl, async () => {
      for (let round = 0; round < 2; round++) {
        for (const [name, value] of Object.entries(rejected))
          await writer.put(`/certs/${name}-${round}`, value);
        await writer.put(`/certs/listed-${round}`, leaf.pem + leaf.keyPem + root.pem + list);
      }
      await writer.put("/certs/good", (await pki.make()).whole);
      await daemon.untilLive("good");
      for (let round = 0; round < 2; round++) {
        await daemon.untilLive(`listed-${round}`);
        for (const name of Object.keys(rejected)) await untilRejected(`${name}-${round}`);
      }
    });

    assert.ok(answered > 0);
  });

  it("such as 5,000 keys that are no names are counted, and a good bundle goes live among them", async (t) => {
    const { writer, daemon, pki } = await setUp(t);
    const batches = Array.from({ length: 50 }, (_, batch) =>
      Object.fromEntries(
        Array.from({ length: 100 }, (_, at) => [`/certs/JUNK ${batch} ${at}`, "x".repeat(1_000)]),
      ),
    );

    const answered = await probeDuring(daemon.adminUrl, async () => {
      for (const [at, batch] of batches.entries()) {
        await writer.together(batch);
        if (at === 25) await writer.put("/certs/good", (await pki.make()).whole);
      }
      await daemon.untilLive("good");
      await until("all are counted", async () => (await daemon.status()).ignoredKeys === 5_000);
    });

    assert.ok(answered > 0);
    assert.equal(daemon.log.filter(({ event }) => event === "key.ignored").length, 1_000);
  });
});
