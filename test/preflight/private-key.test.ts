import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { writePem } from "../../src/core/pem.ts";
import { readPrivateKey } from "../../src/preflight/private-key.ts";
import { unlock } from "../../src/preflight/unlock.ts";
import { derOf, explicit, integer, octets, oid, openEnded, sequence, tlv } from "../support/asn1.ts";
import { contentsOf } from "../support/material.ts";
import { leaksIn, onlyKeyOf, unlockValues } from "../support/unlock.ts";

const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const RSA_PSS = generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey;
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const P384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
const ED25519 = generateKeyPairSync("ed25519").privateKey;
const ED448 = generateKeyPairSync("ed448").privateKey;

describe("a private key", () => {
  for (const [form, key, type, keyType] of [
    ["PKCS#1", RSA, "pkcs1", "RSA 2048"],
    ["PKCS#8 of RSA", RSA, "pkcs8", "RSA 2048"],
    ["PKCS#8 of RSA-PSS", RSA_PSS, "pkcs8", "RSA-PSS 2048"],
    ["SEC1", EC, "sec1", "EC P-256"],
    ["SEC1 on another curve", P384, "sec1", "EC P-384"],
    ["PKCS#8 of EC", EC, "pkcs8", "EC P-256"],
    ["PKCS#8 of Ed25519", ED25519, "pkcs8", "ED25519"],
    ["PKCS#8 of Ed448", ED448, "pkcs8", "ED448"],
  ] as const) {
    it(`in ${form} ends as PKCS#8`, async () => {
      const unlocked = await unlockValues({ "/tls.key": pemOf(key, type) });
      assert.equal(onlyKeyOf(unlocked), pemOf(key));
      const [facts] = unlocked.keys;
      assert.deepEqual(
        [facts?.keyType, facts?.where, facts?.isLegacy],
        [keyType, "/certs/demo/tls.key, line 1", false],
      );
    });
  }

  for (const [what, pem] of [
    ["without line breaks in its base64", writeOneLine(pemOf(EC))],
    [
      "after the parameters that OpenSSL writes before it",
      writePem("EC PARAMETERS", oid("1.2.840.10045.3.1.7")) + pemOf(EC),
    ],
    ["with CRLF and a byte order mark", `\ufeff${pemOf(EC).replaceAll("\n", "\r\n")}`],
  ] as const) {
    it(`is read ${what}`, async () => {
      assert.equal(onlyKeyOf(await unlockValues({ "/tls.key": pem })), pemOf(EC));
    });
  }

  for (const [what, pem] of [
    ["is garbage", writePem("PRIVATE KEY", Buffer.alloc(200, 7))],
    ["has the label of another form", writePem("RSA PRIVATE KEY", derOf(pemOf(EC, "sec1")))],
    ["is encrypted under the label of one that is not", writePem("PRIVATE KEY", encryptedOf(RSA))],
  ] as const) {
    it(`that ${what} is refused as unreadable`, async () => {
      assert.deepEqual(codesOf(await unlockValues({ "/tls.key": pem })), ["KEY_UNREADABLE"]);
    });
  }

  it("of OpenSSH is refused, with the command that converts it", async () => {
    const pem = writePem("OPENSSH PRIVATE KEY", Buffer.from("openssh-key-v1\0none"));
    const { problems } = await unlockValues({ "/tls.key": pem });
    assert.match(problems[0]?.message ?? "", /ssh-keygen -p -N "" -m PKCS8 -f FILE/);
    assert.equal(problems[0]?.code, "KEY_UNREADABLE");
  });
});

describe("a DSA key", () => {
  it("is read where it is as large as they are", async () => {
    const { privateKey } = generateKeyPairSync("dsa", { modulusLength: 3072, divisorLength: 256 });
    const [key] = (await unlockValues({ "/tls.key": pemOf(privateKey) })).keys;
    assert.equal(key?.keyType, "DSA 3072");
  });

  const number = (bytes: number) => tlv(0x02, Buffer.alloc(bytes, 0x55));
  const algorithm = (bytes: number, id = "1.2.840.10040.4.1") =>
    sequence(oid(id), sequence(number(bytes), number(bytes), number(bytes)));
  // A number of so many bytes takes OpenSSL a second, in PKCS#8 of whatever label.
  const bytes = 2_048;
  const fields = [integer(0), algorithm(bytes), octets(number(bytes))];
  for (const [form, der] of [
    ["as PKCS#8", sequence(...fields)],
    ["in BER, which OpenSSL reads too", openEnded(0x30, ...fields)],
    ["with a length in more bytes than it needs", withLongLength(sequence(...fields))],
    [
      "by an older identifier",
      sequence(integer(0), algorithm(bytes, "1.3.14.3.2.12"), octets(number(bytes))),
    ],
    ["where it would take days", sequence(integer(0), algorithm(128 << 10), octets(number(128 << 10)))],
  ] as const) {
    for (const label of ["PRIVATE KEY", "DSA PRIVATE KEY", "RSA PRIVATE KEY"]) {
      it(`is refused unread where it is larger, for OpenSSL would compute with it: ${form}, ${label}`, async () => {
        const { problems } = await unlockValues({ "/tls.key": writePem(label, der) });
        assert.deepEqual(codesOf({ problems }), ["KEY_UNREADABLE"]);
        assert.match(problems[0]?.message ?? "", /of DSA and larger than there are/);
      });
    }
  }
});

describe("private keys", () => {
  it("that are one key in two forms count once", async () => {
    const values = { "": pemOf(EC, "sec1") + pemOf(EC) + pemOf(EC) };
    assert.equal(onlyKeyOf(await unlockValues(values)), pemOf(EC));
  });

  it("that are two are too many, and both are given", async () => {
    const { keys, problems } = await unlockValues({ "": pemOf(EC) + pemOf(RSA) });
    assert.deepEqual([keys.length, problems.map(({ code }) => code)], [2, ["TOO_MANY_KEYS"]]);
  });

  it("of two types do no harm to a key that is read after them", async () => {
    await unlockValues({ "": pemOf(EC) + pemOf(RSA) });
    assert.equal(onlyKeyOf(await unlockValues({ "": pemOf(EC) })), pemOf(EC));
  });

  it("that are very many are not all read", async () => {
    const many = Array.from({ length: 20 }, () => pemOf(generateKeyPairSync("ed25519").privateKey));
    const { keys, problems } = await unlockValues({ "": many.join("") });
    assert.equal(keys.length, 8);
    assert.match(problems[0]?.message ?? "", /^there are 20 private keys/);
  });

  it("leave the other blocks of the bundle as they are", async () => {
    const values = { "": pemOf(EC) + writePem("CERTIFICATE", Buffer.from("one")) };
    const { blocks } = await unlockValues(values);
    assert.deepEqual(
      blocks.map(({ role }) => role),
      ["certificate"],
    );
  });

  it("are not read for a caller who has given up", async () => {
    const unlocking = unlock(
      contentsOf({ "": pemOf(EC) }),
      { passphraseFile: null, profile: "default" },
      AbortSignal.abort(new Error("given up")),
    );
    await assert.rejects(unlocking, /given up/);
  });
});

describe("a private key on a curve that services cannot use", () => {
  const SECP256K1 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey;
  const BRAINPOOL = generateKeyPairSync("ec", { namedCurve: "brainpoolP256r1" }).privateKey;
  const EXPLICIT = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" }).privateKey;
  const scalar = Buffer.alloc(32, 1);
  const brainpool = oid("1.3.36.3.3.2.8.1.1.7");
  for (const [what, pem, curve] of [
    ["secp256k1", pemOf(SECP256K1), "secp256k1"],
    ["secp256k1 in SEC1", pemOf(SECP256K1, "sec1"), "secp256k1"],
    ["brainpoolP256r1", pemOf(BRAINPOOL), "brainpoolP256r1"],
    ["brainpoolP256r1 in SEC1", pemOf(BRAINPOOL, "sec1"), "brainpoolP256r1"],
    ["parameters", pemOf(EXPLICIT), "of another name"],
    ["parameters in SEC1", pemOf(EXPLICIT, "sec1"), "of another name"],
    [
      "no curve at all",
      writePem("EC PRIVATE KEY", sequence(integer(1), octets(scalar))),
      "of another name, or of none",
    ],
    [
      "P-256 outside and another inside",
      writePem(
        "PRIVATE KEY",
        sequence(
          integer(0),
          sequence(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")),
          octets(sequence(integer(1), octets(scalar), explicit(0, brainpool))),
        ),
      ),
      "brainpoolP256r1",
    ],
  ] as const) {
    it(`is refused: ${what}`, async () => {
      const { keys, problems } = await unlockValues({ "/tls.key": pem });
      assert.deepEqual([keys.length, problems.map(({ code }) => code)], [0, ["CURVE_UNSUPPORTED"]]);
      assert.ok(problems[0]?.message.includes(curve), problems[0]?.message);
    });
  }
});

describe("a damaged private key", () => {
  for (const [form, key, type] of [
    ["PKCS#8 of EC", EC, "pkcs8"],
    ["SEC1", EC, "sec1"],
    ["PKCS#8 of Ed25519", ED25519, "pkcs8"],
    ["PKCS#1", RSA, "pkcs1"],
  ] as const) {
    it(`in ${form} is read or refused, whichever byte of it is wrong, and never ends the process`, () => {
      const pem = pemOf(key, type);
      const der = derOf(pem);
      const label = /BEGIN (.+?)-/.exec(pem)?.[1] ?? "";
      const flips = fc.tuple(fc.nat({ max: der.length - 1 }), fc.integer({ min: 1, max: 255 }));
      fc.assert(
        fc.property(flips, fc.option(fc.nat({ max: der.length })), ([at, flip], length) => {
          const damaged = Buffer.from(der);
          damaged[at] = (damaged[at] ?? 0) ^ flip;
          const read = readPrivateKey({
            label,
            der: damaged.subarray(0, length ?? undefined),
            where: "here",
          });
          if ("code" in read) assert.ok(read.message.startsWith("here: "));
        }),
        { numRuns: 500 },
      );
    });
  }
});

describe("what is said of a private key", () => {
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const good = pemOf(other);
  for (const [what, values] of [
    ["where there are two", good + pemOf(RSA)],
    ["where it is cut off", writePem("PRIVATE KEY", derOf(good).subarray(0, 900))],
    [
      "where a byte is wrong",
      writePem(
        "PRIVATE KEY",
        derOf(good).map((byte, at) => (at === 30 ? 0 : byte)),
      ),
    ],
    ["where it is mislabelled", good.replaceAll("PRIVATE KEY", "EC PRIVATE KEY")],
    ["where it is of OpenSSH", good.replaceAll("PRIVATE KEY", "OPENSSH PRIVATE KEY")],
    ["where it is good", good],
  ] as const) {
    it(`never holds any of it ${what}`, async () => {
      const { keys, problems } = await unlockValues({ "": values });
      assert.deepEqual(leaksIn({ keys, problems }, values), []);
    });
  }
});

function pemOf(key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1" = "pkcs8"): string {
  return key.export({ type: type as "pkcs8", format: "pem" }).toString();
}

function writeOneLine(pem: string): string {
  const [, begin, base64 = "", end] = /^(-----BEGIN.*?-----)([^-]+)(-----END.*)$/s.exec(pem) ?? [];
  return `${begin}\n${base64.replace(/\s/g, "")}\n${end}`;
}

function encryptedOf(key: KeyObject): Uint8Array {
  const lock = { cipher: "aes-256-cbc", passphrase: "open sesame" } as const;
  const der = key.export({ type: "pkcs8", format: "der", ...lock });
  // It is one that opens with its passphrase: the test is not about damage.
  createPrivateKey({ key: der, type: "pkcs8", format: "der", passphrase: lock.passphrase });
  return der;
}

function codesOf({ problems }: { readonly problems: readonly { readonly code: string }[] }): string[] {
  return problems.map(({ code }) => code);
}

/** A SEQUENCE whose length of two bytes is written in five. */
function withLongLength(der: Buffer): Buffer {
  assert.equal(der[1], 0x82);
  return Buffer.concat([Buffer.from([0x30, 0x85, 0, 0, 0]), der.subarray(2)]);
}
