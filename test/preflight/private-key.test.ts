import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { readPem, writePem } from "../../src/core/pem.ts";
import { writeCertificate } from "../support/der.ts";
import { codesOf } from "../support/material.ts";
import { identityOf, readBundleOf } from "../support/read-bundle.ts";

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ED25519 = generateKeyPairSync("ed25519");
const LOCK = { cipher: "aes-256-cbc", passphrase: "open sesame" } as const;

describe("a private key", () => {
  for (const [form, pair, pem] of [
    ["PKCS#1", RSA, RSA.privateKey.export({ type: "pkcs1", format: "pem" })],
    ["PKCS#8 of RSA", RSA, RSA.privateKey.export({ type: "pkcs8", format: "pem" })],
    ["SEC1", EC, EC.privateKey.export({ type: "sec1", format: "pem" })],
    ["PKCS#8 of EC", EC, EC.privateKey.export({ type: "pkcs8", format: "pem" })],
    ["PKCS#8 of Ed25519", ED25519, ED25519.privateKey.export({ type: "pkcs8", format: "pem" })],
  ] as const) {
    it(`in ${form} ends as PKCS#8`, () => {
      const { privateKeyPem } = identityOf({ "": certificateOf(pair) + pem });
      assert.equal(privateKeyPem.reveal(), pair.privateKey.export({ type: "pkcs8", format: "pem" }));
    });
  }

  for (const [form, pem] of [
    ["PKCS#8", RSA.privateKey.export({ type: "pkcs8", format: "pem", ...LOCK })],
    ["traditional form", RSA.privateKey.export({ type: "pkcs1", format: "pem", ...LOCK })],
  ] as const) {
    it(`that is encrypted in ${form} is refused as such`, () => {
      const read = readBundleOf({ "": certificateOf(RSA) + pem });
      assert.deepEqual(codesOf(read), ["KEY_ENCRYPTED"]);
    });
  }

  for (const [what, pem] of [
    ["is garbage", writePem("PRIVATE KEY", Buffer.alloc(200, 7))],
    ["is of OpenSSH", writePem("OPENSSH PRIVATE KEY", Buffer.from("openssh-key-v1\0none"))],
    ["has the label of another form", writePem("RSA PRIVATE KEY", sec1Of(EC.privateKey))],
    ["is encrypted under the label of one that is not", writePem("PRIVATE KEY", encryptedOf(RSA.privateKey))],
  ] as const) {
    it(`that ${what} is refused as unreadable`, () => {
      assert.deepEqual(codesOf(readBundleOf({ "": certificateOf(RSA) + pem })), ["KEY_UNREADABLE"]);
    });
  }
});

describe("what is said of a private key", () => {
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const good = String(other.privateKey.export({ type: "pkcs8", format: "pem" }));
  for (const [what, values] of [
    ["where it is encrypted", String(other.privateKey.export({ type: "pkcs1", format: "pem", ...LOCK }))],
    ["where it does not match", good],
    ["where there are two", good + String(RSA.privateKey.export({ type: "pkcs8", format: "pem" }))],
    ["where it is cut off", writePem("PRIVATE KEY", derOf(good).subarray(0, 900))],
    [
      "where a byte is wrong",
      writePem(
        "PRIVATE KEY",
        derOf(good).map((byte, at) => (at === 30 ? 0 : byte)),
      ),
    ],
    ["where it is mislabelled", good.replaceAll("PRIVATE KEY", "EC PRIVATE KEY")],
    ["where it is called a certificate", good.replaceAll("PRIVATE KEY", "CERTIFICATE")],
  ] as const) {
    it(`never holds any of it ${what}`, () => {
      const read = readBundleOf({ "": certificateOf(RSA) + values });
      assert.equal(read.ok, false);
      assert.deepEqual(leaksIn(inspect(read, { depth: 10 }), values), []);
    });
  }

  it("is nothing where a bundle is shown whole", () => {
    const key = String(RSA.privateKey.export({ type: "pkcs8", format: "pem" }));
    const read = readBundleOf({ "": certificateOf(RSA) + key });
    assert.equal(read.ok, true);
    assert.deepEqual(leaksIn(inspect(read, { depth: 10 }) + JSON.stringify(read), key), []);
  });
});

function certificateOf({ publicKey, privateKey }: Pair): string {
  return writeCertificate({ subject: [["CN", "leaf"]], publicKey, signingKey: privateKey });
}

/** Runs of twelve characters of the key's base64 that stand in the text; the frame all keys share does not count. */
function leaksIn(text: string, keyPem: string): string[] {
  const base64 = keyPem.replace(/-----[^-]+-----|\s/g, "");
  const runs = [...base64.slice(40, -12)].map((_, at) => base64.slice(40 + at, 52 + at));
  return runs.filter((run) => text.includes(run));
}

function derOf(pem: string): Uint8Array {
  const read = readPem(Buffer.from(pem));
  return (read.ok ? read.blocks[0]?.der : undefined) ?? new Uint8Array();
}

function sec1Of(key: KeyObject): Uint8Array {
  return key.export({ type: "sec1", format: "der" });
}

function encryptedOf(key: KeyObject): Uint8Array {
  const der = key.export({ type: "pkcs8", format: "der", ...LOCK });
  // It is one that opens with its passphrase: the test is not about damage.
  createPrivateKey({ key: der, type: "pkcs8", format: "der", passphrase: LOCK.passphrase });
  return der;
}
