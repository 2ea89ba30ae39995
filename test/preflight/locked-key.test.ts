import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it, type TestContext } from "node:test";
import { inspect } from "node:util";
import { writePem } from "../../src/core/pem.ts";
import type { Profile } from "../../src/core/policy.ts";
import type { Unlocked } from "../../src/preflight/unlock.ts";
import { derOf } from "../support/asn1.ts";
import { encryptKey, encryptPbes1, exportKey, exportLegacy, lockBomb } from "../support/locked-keys.ts";
import { leaksIn, onlyKeyOf, unlockValues, usePassphrase } from "../support/unlock.ts";

const PASSPHRASE = "öpen sesame";
const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const ED25519 = generateKeyPairSync("ed25519").privateKey;
const AES = { cipher: "aes-256-cbc", passphrase: PASSPHRASE } as const;

describe("an encrypted private key", () => {
  for (const [form, key, pem, isLegacy] of [
    ["PBES2 with AES", RSA, exportKey(RSA, "pkcs8", AES), false],
    ["PBES2 with AES, of EC", EC, exportKey(EC, "pkcs8", AES), false],
    ["PBES2 with AES, of Ed25519", ED25519, exportKey(ED25519, "pkcs8", AES), false],
    ["PBES2 with triple DES", EC, encryptKey(EC, "des-ede3-cbc", PASSPHRASE), false],
    ["PBES2 with DES", EC, encryptKey(EC, "des-cbc", PASSPHRASE), true],
    ["PBES2 with RC2", EC, exportLegacy(EC, "pkcs8", "rc2-cbc", PASSPHRASE), true],
    ["PBES1 with MD5 and DES", RSA, encryptPbes1(RSA, "MD5 and DES", PASSPHRASE), true],
    ["PBES1 with MD5 and RC2", RSA, encryptPbes1(RSA, "MD5 and RC2", PASSPHRASE), true],
    ["PBES1 with SHA-1 and DES", RSA, encryptPbes1(RSA, "SHA-1 and DES", PASSPHRASE), true],
    ["PBES1 with SHA-1 and RC2", RSA, encryptPbes1(RSA, "SHA-1 and RC2", PASSPHRASE), true],
    ["PKCS#12's triple DES", RSA, encryptKey(RSA, "pkcs12 des-ede3-cbc", PASSPHRASE), false],
    ["PKCS#12's RC2", RSA, encryptKey(RSA, "pkcs12 rc2-40-cbc", PASSPHRASE), true],
    ["PKCS#12's RC4", RSA, encryptKey(RSA, "pkcs12 rc4", PASSPHRASE), true],
    ["traditional PEM with AES", RSA, exportKey(RSA, "pkcs1", AES), false],
    ["traditional PEM with AES, of EC", EC, exportKey(EC, "sec1", AES), false],
    [
      "traditional PEM with triple DES",
      RSA,
      exportKey(RSA, "pkcs1", { ...AES, cipher: "des-ede3-cbc" }),
      false,
    ],
    [
      "traditional PEM with Camellia",
      RSA,
      exportKey(RSA, "pkcs1", { ...AES, cipher: "camellia-256-cbc" }),
      false,
    ],
    ["traditional PEM with DES", RSA, exportLegacy(RSA, "pkcs1", "des-cbc", PASSPHRASE), true],
    ["traditional PEM with DES, of EC", EC, exportLegacy(EC, "sec1", "des-cbc", PASSPHRASE), true],
  ] as const) {
    it(`by ${form} ends as PKCS#8${isLegacy ? ", and is noted as legacy" : ""}`, async (t) => {
      const unlocked = await unlockWith(t, pem);
      assert.equal(onlyKeyOf(unlocked), exportKey(key, "pkcs8"));
      assert.equal(unlocked.keys[0]?.isLegacy, isLegacy);
    });
  }

  it("counts once where it comes unencrypted too", async (t) => {
    const pem = exportKey(EC, "pkcs8", AES) + exportKey(EC, "sec1");
    assert.equal(onlyKeyOf(await unlockWith(t, pem)), exportKey(EC, "pkcs8"));
  });

  it("is refused where no passphrase is configured, and the setting is named", async () => {
    const { keys, problems } = await unlockValues({ "": exportKey(RSA, "pkcs8", AES) });
    assert.equal(keys.length, 0);
    assert.deepEqual(problems, [
      {
        code: "KEY_ENCRYPTED",
        message:
          "/certs/demo, line 1: this private key is encrypted, and no passphrase is configured: name a file with it in checks.rules[].passphraseFile",
      },
    ]);
  });

  it("is refused where the file of its passphrase cannot be read, and the file is named", async () => {
    const passphraseFile = "/nowhere/passphrase";
    const { problems } = await unlockValues({ "": exportKey(RSA, "pkcs8", AES) }, { passphraseFile });
    assert.deepEqual(codesOf(problems), ["KEY_ENCRYPTED"]);
    assert.match(problems[0]?.message ?? "", /ENOENT.*\/nowhere\/passphrase/);
  });

  it("that is on a curve that services cannot use is refused as such", async (t) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
    const { problems } = await unlockWith(t, exportKey(privateKey, "pkcs8", AES));
    assert.deepEqual(codesOf(problems), ["CURVE_UNSUPPORTED"]);
  });

  it("that is encrypted in a way nobody knows is refused as unreadable", async (t) => {
    const der = derOf(encryptKey(EC, "aes-256-cbc", PASSPHRASE));
    // The last part of the object identifier of PBES2.
    const at = der.indexOf(Buffer.from("2a864886f70d01050d", "hex")) + 8;
    const pem = writePem("ENCRYPTED PRIVATE KEY", der.fill(99, at, at + 1));
    assert.deepEqual(codesOf((await unlockWith(t, pem)).problems), ["KEY_UNREADABLE"]);
  });

  for (const [what, pem, words] of [
    [
      "PBKDF2",
      lockBomb({ iterations: 2_000_000_000 }),
      /asks for 2000000000 iterations to make a key; the most is 1000000/,
    ],
    ["scrypt", lockBomb({ scrypt: [1 << 14, 8, 4_096] }), /N × r × p = 536870912 to make a key; the most is/],
    ["a number beyond all bounds", lockBomb({ iterations: 2 ** 48 }), /a number is none, or too large/],
  ] as const) {
    it(`that asks for endless work by ${what} is refused unopened, and how much it asks for is said`, async () => {
      const { problems } = await unlockValues({ "": pem });
      assert.deepEqual(codesOf(problems), ["KEY_UNREADABLE"]);
      assert.match(problems[0]?.message ?? "", words);
    });
  }

  for (const [what, der] of [
    ["is cut off", derOf(exportKey(RSA, "pkcs8", AES)).subarray(0, 700)],
    ["is not encrypted under the label of one that is", derOf(exportKey(RSA, "pkcs8"))],
    ["is nothing", Buffer.alloc(0)],
  ] as const) {
    it(`that ${what} is refused as unreadable, without a look at the passphrase`, async () => {
      const block = writePem("ENCRYPTED PRIVATE KEY", der).replace("-----END", "\n-----END");
      const values = { "": der.length > 0 ? block : block.replace("\n\n", "\nMAA=\n") };
      assert.deepEqual(codesOf((await unlockValues(values)).problems), ["KEY_UNREADABLE"]);
    });
  }
});

describe("a wrong passphrase", () => {
  for (const [form, pem] of [
    ["PBES2", exportKey(RSA, "pkcs8", AES)],
    ["PBES1", encryptPbes1(RSA, "MD5 and DES", PASSPHRASE)],
    ["a stream cipher, which has no padding to be wrong", encryptKey(RSA, "pkcs12 rc4", PASSPHRASE)],
    ["traditional PEM", exportKey(RSA, "pkcs1", AES)],
  ] as const) {
    it(`is said to be wrong for ${form}, and never shown`, async (t) => {
      const unlocked = await unlockWith(t, pem, "default", "hocus pocus");
      assert.deepEqual(codesOf(unlocked.problems), ["PASSPHRASE_WRONG"]);
      assert.doesNotMatch(inspect(unlocked, { depth: 10 }), /hocus pocus/);
      assert.deepEqual(leaksIn(unlocked, pem), []);
    });
  }

  it("is said to be wrong where it is empty", async (t) => {
    const { problems } = await unlockWith(t, exportKey(RSA, "pkcs8", AES), "default", "");
    assert.deepEqual(codesOf(problems), ["PASSPHRASE_WRONG"]);
  });
});

describe("under the profile fips", () => {
  for (const [form, pem] of [
    ["not encrypted", exportKey(RSA, "pkcs8")],
    ["encrypted by PBES2 with AES-128", exportKey(RSA, "pkcs8", { ...AES, cipher: "aes-128-cbc" })],
    ["encrypted by PBES2 with AES-256", exportKey(RSA, "pkcs8", AES)],
  ] as const) {
    it(`a private key is accepted that is ${form}`, async (t) => {
      assert.equal(onlyKeyOf(await unlockWith(t, pem, "fips")), exportKey(RSA, "pkcs8"));
    });
  }

  for (const [form, pem] of [
    ["PBES2 with triple DES", encryptKey(RSA, "des-ede3-cbc", PASSPHRASE)],
    ["PBES1", encryptPbes1(RSA, "SHA-1 and DES", PASSPHRASE)],
    ["PKCS#12 with triple DES", encryptKey(RSA, "pkcs12 des-ede3-cbc", PASSPHRASE)],
    ["traditional PEM with AES-256-CBC", exportKey(RSA, "pkcs1", AES)],
  ] as const) {
    it(`a private key is refused that is encrypted by ${form}`, async (t) => {
      const { keys, problems } = await unlockWith(t, pem, "fips");
      assert.deepEqual([keys.length, codesOf(problems)], [0, ["PROFILE_VIOLATED"]]);
      assert.ok(problems[0]?.message.includes(`encrypted by ${form};`), problems[0]?.message);
    });
  }
});

async function unlockWith(
  t: TestContext,
  pem: string,
  profile: Profile = "default",
  passphrase = PASSPHRASE,
): Promise<Unlocked> {
  return unlockValues({ "": pem }, { passphraseFile: await usePassphrase(t, passphrase), profile });
}

function codesOf(problems: Unlocked["problems"]): string[] {
  return problems.map(({ code }) => code);
}
