/** Private keys encrypted in the ways that people have of it, with a passphrase. */
import { createHash, type KeyObject, randomBytes } from "node:crypto";
import { writePem } from "../../src/core/pem.ts";
import { toBmpString } from "../../src/preflight/locked/pkcs12-key.ts";
import { integer, octets, oid, sequence } from "./asn1.ts";
import { encrypt, pbkdf2, type SchemeName } from "./encryption.ts";
import { runLegacy } from "./legacy-openssl.ts";

/** As Node writes it, in this process. */
export function exportKey(
  key: KeyObject,
  type: "pkcs1" | "pkcs8" | "sec1",
  lock?: { readonly cipher: string; readonly passphrase: string },
): string {
  return key.export({ type: type as "pkcs8", format: "pem", ...lock }).toString();
}

/** The same with a cipher that only OpenSSL's legacy provider has. */
export function exportLegacy(key: KeyObject, type: string, cipher: string, passphrase: string): string {
  return runLegacy(
    `const [pem, type, cipher, passphrase] = input;
     process.stdout.write(createPrivateKey(pem).export({ type, format: "pem", cipher, passphrase }));`,
    [exportKey(key, "pkcs8"), type, cipher, passphrase],
  ).toString();
}

/** PKCS#8 encrypted in one of the ways of PKCS#12. */
export function encryptKey(key: KeyObject, scheme: SchemeName, passphrase: string): string {
  const utf8 = Buffer.from(passphrase);
  const lock = { utf8, bmp: toBmpString(utf8), iterations: 2_048 };
  const { algorithm, data } = encrypt(key.export({ type: "pkcs8", format: "der" }), scheme, lock);
  return writePem("ENCRYPTED PRIVATE KEY", sequence(algorithm, octets(data)));
}

/** PKCS#8 that asks for so much work to be opened; there is no key in it. */
export function lockBomb(
  work: { readonly iterations: number } | { readonly scrypt: readonly number[] },
): string {
  const salt = randomBytes(16);
  const lock = { utf8: Buffer.alloc(0), bmp: Buffer.alloc(0), iterations: 0, ...work };
  const derivation =
    "scrypt" in work
      ? sequence(oid("1.3.6.1.4.1.11591.4.11"), sequence(octets(salt), ...work.scrypt.map(integer)))
      : pbkdf2(salt, lock);
  const cipher = sequence(oid("2.16.840.1.101.3.4.1.42"), octets(randomBytes(16)));
  const algorithm = sequence(oid("1.2.840.113549.1.5.13"), sequence(derivation, cipher));
  return writePem("ENCRYPTED PRIVATE KEY", sequence(algorithm, octets(randomBytes(160))));
}

/** PKCS#8 encrypted by PBES1 (RFC 8018 §6.1). */
export function encryptPbes1(key: KeyObject, scheme: keyof typeof PBES1, passphrase: string): string {
  const { id, hash, cipher } = PBES1[scheme];
  const salt = randomBytes(8);
  let derived = createHash(hash).update(passphrase).update(salt).digest();
  for (let round = 1; round < 2_048; round++) derived = createHash(hash).update(derived).digest();
  const data = runLegacy(
    `const [cipher, key, iv, plain] = input.map((text, at) => (at === 0 ? text : Buffer.from(text, "base64")));
     const encryptor = createCipheriv(cipher, key, iv);
     process.stdout.write(Buffer.concat([encryptor.update(plain), encryptor.final()]));`,
    [
      cipher,
      ...[derived.subarray(0, 8), derived.subarray(8, 16), key.export({ type: "pkcs8", format: "der" })].map(
        (bytes) => bytes.toString("base64"),
      ),
    ],
  );
  const algorithm = sequence(oid(id), sequence(octets(salt), integer(2_048)));
  return writePem("ENCRYPTED PRIVATE KEY", sequence(algorithm, octets(data)));
}

const PBES1 = {
  "MD5 and DES": { id: "1.2.840.113549.1.5.3", hash: "md5", cipher: "des-cbc" },
  "MD5 and RC2": { id: "1.2.840.113549.1.5.6", hash: "md5", cipher: "rc2-64-cbc" },
  "SHA-1 and DES": { id: "1.2.840.113549.1.5.10", hash: "sha1", cipher: "des-cbc" },
  "SHA-1 and RC2": { id: "1.2.840.113549.1.5.11", hash: "sha1", cipher: "rc2-64-cbc" },
} as const;
