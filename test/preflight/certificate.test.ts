import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { writePem } from "../../src/core/pem.ts";
import { readCertificate } from "../../src/preflight/certificate.ts";
import { writeCertificate } from "../support/der.ts";
import { codesOf } from "../support/material.ts";
import { createAuthority } from "../support/pki.ts";
import { identityOf, readBundleOf } from "../support/read-bundle.ts";

const P256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const LEAF = [["CN", "leaf"]] as const;
const CA = [["CN", "authority"]] as const;

describe("a certificate on a curve without a name of NIST", () => {
  for (const [what, options] of [
    ["brainpoolP256r1", { namedCurve: "brainpoolP256r1" }],
    ["brainpoolP384t1", { namedCurve: "brainpoolP384t1" }],
    ["secp256k1", { namedCurve: "secp256k1" }],
    ["secp224r1", { namedCurve: "secp224r1" }],
    ["brainpoolP256r1 by its parameters", { namedCurve: "brainpoolP256r1", paramEncoding: "explicit" }],
    ["secp256k1 by its parameters", { namedCurve: "secp256k1", paramEncoding: "explicit" }],
    ["P-256 by its parameters", { namedCurve: "P-256", paramEncoding: "explicit" }],
  ] as const) {
    const { publicKey, privateKey } = generateKeyPairSync("ec", options);
    const foreign = (subject: typeof LEAF | typeof CA) =>
      writeCertificate({ subject, issuer: CA, publicKey, signingKey: P256.privateKey });

    it(`is refused as leaf: ${what}`, () => {
      const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      // Of the certificate, and of its key.
      const codes = codesOf(readBundleOf({ "/tls.crt": foreign(LEAF), "/tls.key": key }));
      assert.deepEqual(codes, ["CURVE_UNSUPPORTED", "CURVE_UNSUPPORTED"]);
    });

    it(`is refused as intermediate: ${what}`, () => {
      const leaf = writeCertificate({ subject: LEAF, issuer: CA, ...P256, signingKey: P256.privateKey });
      const values = { "/tls.crt": leaf + foreign(CA), "/tls.key": keyOf(P256) };
      assert.deepEqual(codesOf(readBundleOf(values)), ["CURVE_UNSUPPORTED"]);
    });

    it(`is refused as trust anchor: ${what}`, () => {
      const anchor = writeCertificate({ subject: CA, publicKey, signingKey: privateKey });
      assert.deepEqual(codesOf(readBundleOf({ "": anchor })), ["CURVE_UNSUPPORTED"]);
    });
  }
});

describe("a certificate with a key of a usual kind", () => {
  const kinds = [
    ["EC P-256", P256],
    ["EC P-384", generateKeyPairSync("ec", { namedCurve: "P-384" })],
    ["EC P-521", generateKeyPairSync("ec", { namedCurve: "P-521" })],
    ["RSA 2048", generateKeyPairSync("rsa", { modulusLength: 2048 })],
    ["ED25519", generateKeyPairSync("ed25519")],
  ] as const;
  for (const [keyType, pair] of kinds) {
    it(`is read: ${keyType}`, () => {
      const certificate = writeCertificate({ subject: LEAF, ...pair, signingKey: pair.privateKey });
      assert.equal(identityOf({ "": certificate + keyOf(pair) }).leaf.keyType, keyType);
    });
  }
});

describe("names and numbers of a certificate", () => {
  it("are written as RFC 4514 has it: the most specific part first", () => {
    const subject = [
      ["C", "US"],
      ["O", 'Acme, "Inc"'],
      ["OU", "a+b=c"],
      ["CN", "leaf\\"],
    ] as const;
    assert.equal(leafOf(subject).subject, 'CN=leaf\\\\,OU=a\\+b=c,O=Acme\\, \\"Inc\\",C=US');
  });

  it("may be empty", () => {
    assert.equal(leafOf([]).subject, "");
  });

  for (const serial of ["01", "7f00", "00ff01", `00${"8f".repeat(19)}`]) {
    it(`are the serial number and the fingerprint that OpenSSL prints, for ${serial}`, () => {
      const wish = { subject: LEAF, ...P256, signingKey: P256.privateKey };
      const certificate = writeCertificate({ ...wish, serial: Buffer.from(serial, "hex") });
      const { serialNumber, fingerprint256 } = new X509Certificate(certificate);
      const { leaf } = identityOf({ "": certificate + keyOf(P256) });
      assert.deepEqual([leaf.serial, leaf.fingerprint256], [serialNumber, fingerprint256]);
    });
  }
});

describe("what is no certificate", () => {
  for (const [what, der] of [
    ["bytes", [1, 2, 3]],
    ["an empty sequence", [0x30, 0x00]],
    ["a sequence without an end", [0x30, 0x80, 0x00]],
  ] as const) {
    it(`is said to be unreadable: ${what}`, () => {
      assert.deepEqual(codesOf(readBundleOf({ "/ca.crt": writePem("CERTIFICATE", Uint8Array.from(der)) })), [
        "CERTIFICATE_UNREADABLE",
      ]);
    });
  }

  it("never makes reading throw, however a certificate was damaged", async () => {
    const { certificate } = await createAuthority("a");
    const original = new Uint8Array(certificate.rawData);
    const damage = fc.tuple(fc.nat({ max: original.length - 1 }), fc.nat({ max: 255 }), fc.boolean());
    fc.assert(
      fc.property(damage, ([at, byte, cut]) => {
        const damaged = Uint8Array.from(original);
        damaged[at] = byte;
        readCertificate(cut ? damaged.subarray(0, at) : damaged, "here");
      }),
      { numRuns: 500 },
    );
  });
});

function keyOf({ privateKey }: Pick<typeof P256, "privateKey">): string {
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function leafOf(subject: Parameters<typeof writeCertificate>[0]["subject"]) {
  const certificate = writeCertificate({ subject, ...P256, signingKey: P256.privateKey });
  return identityOf({ "": certificate + keyOf(P256) }).leaf;
}
