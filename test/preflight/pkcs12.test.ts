import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { before, describe, it, type TestContext } from "node:test";
import { inspect } from "node:util";
import { MAX_CERTIFICATES } from "../../src/core/material.ts";
import { writePem } from "../../src/core/pem.ts";
import type { Profile } from "../../src/core/policy.ts";
import type { Unlocked } from "../../src/preflight/unlock.ts";
import { writeCertificate } from "../support/der.ts";
import { opensslOpens } from "../support/legacy-openssl.ts";
import { exportKey } from "../support/locked-keys.ts";
import { type Pkcs12Wish, writePkcs12 } from "../support/pkcs12.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";
import { leaksIn, onlyKeyOf, unlockValues, usePassphrase } from "../support/unlock.ts";

const PASSPHRASE = "Öffne dich 🗝";

interface Pair {
  readonly key: KeyObject;
  readonly certificate: string;
}

const EC = pairOf(generateKeyPairSync("ec", { namedCurve: "P-256" }));
const RSA = pairOf(generateKeyPairSync("rsa", { modulusLength: 2048 }));
const ED25519 = pairOf(generateKeyPairSync("ed25519"));
type Leaf = Pkcs12Wish & Required<Pick<Pkcs12Wish, "keys" | "certificates">>;

/** A leaf that another issued, so that it is no trust anchor. */
const LEAF: Leaf = { keys: [EC.key], certificates: [EC.certificate], passphrase: PASSPHRASE };
/** OpenSSL 3.4 is the first that knows the newer code over a file. */
const KNOWS_PBMAC1 = Number(process.versions.openssl.replace(/^3\.(\d+).*/, "$1")) >= 4;

describe("a PKCS#12 file", () => {
  for (const [form, wish, isLegacy] of [
    ["as OpenSSL 3 writes it", LEAF, false],
    ["with AES-128", { ...LEAF, keyScheme: "aes-128-cbc", certificateScheme: "aes-192-cbc" }, false],
    ["of RSA", { ...LEAF, keys: [RSA.key], certificates: [RSA.certificate] }, false],
    ["of Ed25519", { ...LEAF, keys: [ED25519.key], certificates: [ED25519.certificate] }, false],
    [
      "as Windows writes it",
      { ...LEAF, keyScheme: "pkcs12 des-ede3-cbc", certificateScheme: "pkcs12 des-ede3-cbc", mac: "sha1" },
      false,
    ],
    [
      "as OpenSSL 1 wrote it",
      { ...LEAF, keyScheme: "pkcs12 des-ede3-cbc", certificateScheme: "pkcs12 rc2-40-cbc", mac: "sha1" },
      true,
    ],
    [
      "with RC2-128 and two-key triple DES",
      { ...LEAF, keyScheme: "pkcs12 rc2-cbc", certificateScheme: "pkcs12 des-ede-cbc" },
      true,
    ],
    ["with RC4", { ...LEAF, keyScheme: "pkcs12 rc4", certificateScheme: "pkcs12 rc4-40" }, true],
    ["with PBES2 and triple DES", { ...LEAF, keyScheme: "des-ede3-cbc" }, false],
    ["with PBES2 and DES", { ...LEAF, keyScheme: "des-cbc" }, true],
    ["with a code of SHA-224", { ...LEAF, mac: "sha224" }, false],
    ["with a code of SHA-384", { ...LEAF, mac: "sha384" }, false],
    ["with a code of SHA-512", { ...LEAF, mac: "sha512" }, false],
    ["with one iteration, which need not be said", { ...LEAF, iterations: 1 }, false],
    ["with many iterations", { ...LEAF, iterations: 100_000 }, false],
    ["with a key that is not encrypted", { ...LEAF, keyScheme: null }, false],
    ["with certificates that are not encrypted", { ...LEAF, certificateScheme: null }, false],
    ["with lengths left open and strings in pieces", { ...LEAF, inPieces: true }, false],
  ] as const satisfies readonly (readonly [string, Leaf, boolean])[]) {
    it(`${form} is opened, by OpenSSL too`, async (t) => {
      const file = writePkcs12(wish);
      assert.ok(opensslOpens(file, PASSPHRASE), "the test wrote a file that OpenSSL does not open");
      const unlocked = await unlockFile(t, file);
      assert.equal(onlyKeyOf(unlocked), exportKey(wish.keys[0] as KeyObject, "pkcs8"));
      assert.equal(unlocked.keys[0]?.isLegacy, isLegacy);
      assert.deepEqual(rolesOf(unlocked), ["certificate"]);
      assert.equal(pemOf(unlocked), wish.certificates.join(""));
    });
  }

  it("with the code of RFC 9579 is opened, by newer OpenSSL too", async (t) => {
    const file = writePkcs12({ ...LEAF, mac: "pbmac1" });
    assert.equal(opensslOpens(file, PASSPHRASE), KNOWS_PBMAC1);
    assert.equal(onlyKeyOf(await unlockFile(t, file)), exportKey(EC.key, "pkcs8"));
  });

  for (const [form, wish] of [
    ["without a code over it", { ...LEAF, mac: null }],
    ["with its key in a bag within a bag", { ...LEAF, nested: true }],
  ] as const) {
    it(`${form} is opened`, async (t) => {
      assert.equal(onlyKeyOf(await unlockFile(t, writePkcs12(wish))), exportKey(EC.key, "pkcs8"));
    });
  }

  for (const [form, wish] of [
    ["as OpenSSL writes it", { ...LEAF, passphrase: "" }],
    ["as .NET writes it", { ...LEAF, passphrase: "", emptyIsNothing: true }],
    [
      "as .NET wrote it",
      {
        ...LEAF,
        passphrase: "",
        emptyIsNothing: true,
        keyScheme: "pkcs12 des-ede3-cbc",
        certificateScheme: "pkcs12 des-ede3-cbc",
      },
    ],
    ["with nothing encrypted", { ...LEAF, keyScheme: null, certificateScheme: null, mac: null }],
  ] as const satisfies readonly (readonly [string, Pkcs12Wish])[]) {
    it(`with an empty passphrase, ${form}, needs none to be configured`, async () => {
      const unlocked = await unlockValues({ ".p12": writePkcs12(wish) });
      assert.equal(onlyKeyOf(unlocked), exportKey(EC.key, "pkcs8"));
    });
  }
});

describe("what is in a PKCS#12 file", () => {
  let pems: BundlePems;
  before(async () => {
    pems = await (await createBundleMaker()).make();
  });

  it("has the roles it would have in one value of PEM", async (t) => {
    const { keys, blocks, problems } = await unlockFile(
      t,
      writePkcs12({
        ...LEAF,
        keys: [],
        certificates: [...pems.chain.split(/(?<=-----END CERTIFICATE-----\n)/), pems.ca],
        crls: [Buffer.from([0x30, 0x00])],
      }),
    );
    assert.deepEqual(
      [keys, problems, blocks.map(({ role, where }) => `${role} of ${where}`)],
      [
        [],
        [],
        [
          "certificate of /certs/demo.p12, certificate 1",
          "certificate of /certs/demo.p12, certificate 2",
          "trust-anchor of /certs/demo.p12, certificate 3",
          "crl of /certs/demo.p12, revocation list 1",
        ],
      ],
    );
  });

  it("is no trust anchor where it is a leaf that signed itself", async (t) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const leaf = writeCertificate({ subject: [["CN", "leaf"]], publicKey, signingKey: privateKey });
    const wish = { ...LEAF, keys: [privateKey], certificates: [pems.ca, leaf] };
    assert.deepEqual(rolesOf(await unlockFile(t, writePkcs12(wish))), ["trust-anchor", "certificate"]);
  });

  it("may be trust anchors alone", async (t) => {
    const unlocked = await unlockFile(t, writePkcs12({ ...LEAF, keys: [], certificates: [pems.ca] }));
    assert.deepEqual([unlocked.keys, unlocked.problems, rolesOf(unlocked)], [[], [], ["trust-anchor"]]);
  });

  it("may not be two keys", async (t) => {
    const { keys, problems } = await unlockFile(t, writePkcs12({ ...LEAF, keys: [EC.key, RSA.key] }));
    assert.deepEqual([keys.length, codesOf(problems)], [2, ["TOO_MANY_KEYS"]]);
  });

  it("may be one key twice", async (t) => {
    const unlocked = await unlockFile(t, writePkcs12({ ...LEAF, keys: [EC.key, EC.key] }));
    assert.equal(onlyKeyOf(unlocked), exportKey(EC.key, "pkcs8"));
  });

  it("may not be more certificates than a bundle may have", async (t) => {
    const certificates = Array.from({ length: MAX_CERTIFICATES + 1 }, () => EC.certificate);
    const { blocks, problems } = await unlockFile(t, writePkcs12({ ...LEAF, certificates }));
    assert.deepEqual([blocks, codesOf(problems)], [[], ["TOO_MANY_CERTIFICATES"]]);
  });

  it("may not be a key on a curve that services cannot use", async (t) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "brainpoolP256r1" });
    const { keys, problems } = await unlockFile(t, writePkcs12({ ...LEAF, keys: [privateKey] }));
    assert.deepEqual([keys, codesOf(problems)], [[], ["CURVE_UNSUPPORTED"]]);
  });
});

describe("a PKCS#12 file that cannot be opened", () => {
  const file = writePkcs12(LEAF);

  it("for want of a passphrase is refused, and the setting is named", async () => {
    const { blocks, keys, problems } = await unlockValues({ ".p12": file });
    assert.deepEqual([blocks, keys], [[], []]);
    assert.deepEqual(problems, [
      {
        code: "KEY_ENCRYPTED",
        message:
          "/certs/demo.p12: this PKCS#12 file is encrypted, and no passphrase is configured: name a file with it in checks.rules[].passphraseFile",
      },
    ]);
  });

  it("for want of the file of its passphrase is refused, and the file is named", async () => {
    const { problems } = await unlockValues({ ".p12": file }, { passphraseFile: "/nowhere/passphrase" });
    assert.deepEqual(codesOf(problems), ["KEY_ENCRYPTED"]);
    assert.match(problems[0]?.message ?? "", /ENOENT.*\/nowhere\/passphrase/);
  });

  for (const [what, wish] of [
    ["", LEAF],
    [" though there is no code over it", { ...LEAF, mac: null }],
    [
      " though there is no code over it, nor padding in it",
      { ...LEAF, mac: null, keyScheme: "pkcs12 rc4", certificateScheme: null },
    ],
  ] as const) {
    it(`by this passphrase is refused as such${what}, and nothing is shown`, async (t) => {
      const locked = writePkcs12(wish);
      const unlocked = await unlockFile(t, locked, "default", "hocus pocus");
      assert.deepEqual(codesOf(unlocked.problems), ["PASSPHRASE_WRONG"]);
      assert.doesNotMatch(inspect(unlocked, { depth: 10 }), /hocus pocus/);
    });
  }

  it("as it is cut off is refused as unreadable", async (t) => {
    const { problems } = await unlockFile(t, file.subarray(0, -50));
    assert.deepEqual(codesOf(problems), ["PKCS12_UNREADABLE"]);
  });

  it("without endless work is refused, and says how much it asks for", async (t) => {
    // The file ends with the number of iterations, 2048; MacData and the file grow with a larger one.
    const [small, large] = [Buffer.from("02020800", "hex"), Buffer.from("020477359400", "hex")];
    assert.ok(file.subarray(-small.length).equals(small));
    const bomb = Buffer.concat([file.subarray(0, -small.length), large]);
    const mac = file.length - 0x43;
    assert.deepEqual([bomb[mac], bomb[mac + 1], bomb[1]], [0x30, 0x41, 0x82]);
    bomb[mac + 1] = 0x43;
    bomb.writeUInt16BE(bomb.readUInt16BE(2) + 2, 2);
    const { problems } = await unlockFile(t, bomb);
    assert.deepEqual(codesOf(problems), ["PKCS12_UNREADABLE"]);
    assert.match(
      problems[0]?.message ?? "",
      /asks for 2000000000 iterations to make a key; the most is 1000000/,
    );
  });

  it("shows nothing of the key that is in it", async (t) => {
    const key = exportKey(EC.key, "pkcs8");
    for (const passphrase of [PASSPHRASE, "wrong"]) {
      const unlocked = await unlockFile(t, file, "default", passphrase);
      assert.deepEqual(leaksIn(unlocked, key), []);
    }
  });
});

describe("a PKCS#12 file under the profile fips", () => {
  for (const [what, wish] of [
    ["with AES throughout", LEAF],
    ["with nothing encrypted", { ...LEAF, keyScheme: null, certificateScheme: null }],
  ] as const) {
    it(`is accepted ${what}`, async (t) => {
      const unlocked = await unlockFile(t, writePkcs12(wish), "fips");
      assert.equal(onlyKeyOf(unlocked), exportKey(EC.key, "pkcs8"));
    });
  }

  for (const [what, wish] of [
    ["triple DES for its key", { ...LEAF, keyScheme: "pkcs12 des-ede3-cbc" }],
    ["triple DES by PBES2 for its key", { ...LEAF, keyScheme: "des-ede3-cbc" }],
    ["RC2 for its certificates", { ...LEAF, certificateScheme: "pkcs12 rc2-40-cbc" }],
  ] as const satisfies readonly (readonly [string, Pkcs12Wish])[]) {
    it(`is refused with ${what}`, async (t) => {
      const { keys, blocks, problems } = await unlockFile(t, writePkcs12(wish), "fips");
      assert.deepEqual([keys, blocks, codesOf(problems)], [[], [], ["PROFILE_VIOLATED"]]);
    });
  }
});

function pairOf({ privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }): Pair {
  const issuer = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = writeCertificate({
    subject: [["CN", "leaf"]],
    issuer: [["CN", "issuer"]],
    publicKey,
    signingKey: issuer.privateKey,
  });
  return { key: privateKey, certificate };
}

async function unlockFile(
  t: TestContext,
  file: Uint8Array,
  profile: Profile = "default",
  passphrase = PASSPHRASE,
): Promise<Unlocked> {
  const passphraseFile = await usePassphrase(t, `${passphrase}\n`);
  return unlockValues({ ".p12": file }, { passphraseFile, profile });
}

function rolesOf({ blocks }: Unlocked): string[] {
  return blocks.map(({ role }) => role);
}

function pemOf({ blocks }: Unlocked): string {
  return blocks.map(({ label, der }) => writePem(label, der)).join("");
}

function codesOf(problems: Unlocked["problems"]): string[] {
  return problems.map(({ code }) => code);
}
