import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { writePem } from "../../src/core/pem.ts";
import { openKey } from "../../src/preflight/locked/open-key.ts";
import { openPkcs12 } from "../../src/preflight/locked/pkcs12.ts";
import { derOf } from "../support/asn1.ts";
import { writeCertificate } from "../support/der.ts";
import { encryptKey } from "../support/locked-keys.ts";
import { writePkcs12 } from "../support/pkcs12.ts";

const PASSPHRASE = Buffer.from("open sesame");
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const certificate = writeCertificate({ subject: [["CN", "leaf"]], publicKey, signingKey: privateKey });
const LEAF = {
  keys: [privateKey],
  certificates: [certificate],
  crls: [Buffer.from([0x30, 0x00])],
  passphrase: PASSPHRASE.toString(),
  iterations: 1,
} as const;

describe("a damaged PKCS#12 file", () => {
  for (const [form, wish] of [
    ["with a code over it", LEAF],
    ["without a code over it", { ...LEAF, mac: null }],
    ["without encryption", { ...LEAF, mac: null, keyScheme: null, certificateScheme: null }],
    ["in the ways of PKCS#12 of its own", { ...LEAF, keyScheme: "pkcs12 des-ede3-cbc", mac: null }],
    ["with lengths left open", { ...LEAF, inPieces: true, mac: null }],
  ] as const) {
    const file = writePkcs12(wish);

    it(`${form} is opened or refused, whichever byte of it is wrong`, () => {
      const flips = fc.tuple(fc.nat({ max: file.length - 1 }), fc.integer({ min: 1, max: 255 }));
      fc.assert(
        fc.property(fc.array(flips, { minLength: 1, maxLength: 3 }), (places) => {
          const damaged = Buffer.from(file);
          for (const [at, flip] of places) damaged[at] = (damaged[at] ?? 0) ^ flip;
          refusedOrOpened(damaged);
        }),
        { numRuns: 1_500 },
      );
    });

    it(`${form} is refused wherever it is cut off`, () => {
      for (let length = 0; length < file.length; length++) {
        assert.notEqual(refusedOrOpened(file.subarray(0, length)), "opened", `${length} bytes`);
      }
    });
  }

  it("with a code over it never opens with something else in it", () => {
    const file = writePkcs12(LEAF);
    const good = openPkcs12(file, PASSPHRASE);
    for (let at = 0; at < file.length; at++) {
      const damaged = Buffer.from(file);
      damaged[at] = (damaged[at] ?? 0) ^ 0x01;
      const opened = openPkcs12(damaged, PASSPHRASE);
      if (opened.kind === "opened") assert.deepEqual(opened, good, `byte ${at}`);
    }
  });
});

describe("a damaged encrypted private key", () => {
  const der = derOf(encryptKey(privateKey, "aes-256-cbc", PASSPHRASE.toString()));

  it("is opened or refused, whichever byte of it is wrong", () => {
    const flip = fc.integer({ min: 1, max: 255 });
    fc.assert(
      fc.property(fc.nat({ max: der.length - 1 }), flip, fc.nat({ max: der.length }), (at, by, length) => {
        for (const damaged of [Buffer.from(der), Buffer.from(der.subarray(0, length))]) {
          if (at < damaged.length) damaged[at] = (damaged[at] ?? 0) ^ by;
          const { kind } = openKey(writePem("ENCRYPTED PRIVATE KEY", damaged), PASSPHRASE);
          assert.ok(["opened", "wrongPassphrase", "unsupported"].includes(kind));
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** It throws nothing, and quotes nothing of the file. */
function refusedOrOpened(file: Uint8Array): string {
  const reply = openPkcs12(file, PASSPHRASE);
  if (reply.kind === "unreadable") assert.match(reply.why, /^(it |its |a |an |something )|^ERR_/);
  return reply.kind;
}
