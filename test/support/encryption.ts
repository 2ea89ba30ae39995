/** Encrypts by a passphrase, in the ways of PKCS#12 files (RFC 8018 §6.2, RFC 7292 Appendix C). */
import { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { deriveKey, PURPOSES } from "../../src/preflight/locked/pkcs12-key.ts";
import { integer, octets, oid, sequence, tlv } from "./asn1.ts";
import { runLegacy } from "./legacy-openssl.ts";

/** How something is encrypted. */
export type SchemeName = keyof typeof PBES2_CIPHERS | keyof typeof PKCS12_CIPHERS;

/** By what. */
export interface Lock {
  readonly utf8: Uint8Array;
  readonly bmp: Uint8Array;
  readonly iterations: number;
}

export const HMAC_SHA256 = "1.2.840.113549.2.9";

const PBES2_CIPHERS = {
  "aes-128-cbc": { id: "2.16.840.1.101.3.4.1.2", keyBytes: 16, ivBytes: 16 },
  "aes-192-cbc": { id: "2.16.840.1.101.3.4.1.22", keyBytes: 24, ivBytes: 16 },
  "aes-256-cbc": { id: "2.16.840.1.101.3.4.1.42", keyBytes: 32, ivBytes: 16 },
  "des-ede3-cbc": { id: "1.2.840.113549.3.7", keyBytes: 24, ivBytes: 8 },
  "des-cbc": { id: "1.3.14.3.2.7", keyBytes: 8, ivBytes: 8 },
} as const;
const PKCS12_CIPHERS = {
  "pkcs12 rc4": { id: "1.2.840.113549.1.12.1.1", keyBytes: 16, ivBytes: 0 },
  "pkcs12 rc4-40": { id: "1.2.840.113549.1.12.1.2", keyBytes: 5, ivBytes: 0 },
  "pkcs12 des-ede3-cbc": { id: "1.2.840.113549.1.12.1.3", keyBytes: 24, ivBytes: 8 },
  "pkcs12 des-ede-cbc": { id: "1.2.840.113549.1.12.1.4", keyBytes: 16, ivBytes: 8 },
  "pkcs12 rc2-cbc": { id: "1.2.840.113549.1.12.1.5", keyBytes: 16, ivBytes: 8 },
  "pkcs12 rc2-40-cbc": { id: "1.2.840.113549.1.12.1.6", keyBytes: 5, ivBytes: 8 },
} as const;
/** An AlgorithmIdentifier, and what was encrypted so. */
export function encrypt(
  plain: Buffer,
  scheme: SchemeName,
  lock: Lock,
): { readonly algorithm: Buffer; readonly data: Buffer } {
  const salt = randomBytes(16);
  if (isPkcs12(scheme)) {
    const { id, keyBytes, ivBytes } = PKCS12_CIPHERS[scheme];
    const from = { hash: "sha1", passphrase: lock.bmp, salt, iterations: lock.iterations } as const;
    const key = deriveKey({ ...from, purpose: PURPOSES.encryption }, keyBytes);
    const iv = deriveKey({ ...from, purpose: PURPOSES.iv }, ivBytes);
    const algorithm = sequence(oid(id), sequence(octets(salt), integer(lock.iterations)));
    return { algorithm, data: cipher(scheme.slice("pkcs12 ".length), key, iv, plain) };
  }
  const { id, keyBytes, ivBytes } = PBES2_CIPHERS[scheme];
  const key = pbkdf2Sync(lock.utf8, salt, lock.iterations, keyBytes, "sha256");
  const iv = randomBytes(ivBytes);
  const parameters = sequence(pbkdf2(salt, lock), sequence(oid(id), octets(iv)));
  const algorithm = sequence(oid("1.2.840.113549.1.5.13"), parameters);
  return { algorithm, data: cipher(scheme, key, iv, plain) };
}

/** AlgorithmIdentifier of PBKDF2 with HMAC-SHA-256. */
export function pbkdf2(salt: Buffer, { iterations }: Lock, ...length: readonly Buffer[]): Buffer {
  const hmac = sequence(oid(HMAC_SHA256), tlv(0x05));
  const parameters = sequence(octets(salt), integer(iterations), ...length, hmac);
  return sequence(oid("1.2.840.113549.1.5.12"), parameters);
}

function isPkcs12(scheme: SchemeName): scheme is keyof typeof PKCS12_CIPHERS {
  return scheme.startsWith("pkcs12 ");
}

/** Ciphers that only OpenSSL's legacy provider has are used in a process that has it. */
function cipher(name: string, key: Buffer, iv: Buffer, plain: Buffer): Buffer {
  if (/^(aes|des-ede)/.test(name)) {
    const encryptor = createCipheriv(name, key, iv);
    return Buffer.concat([encryptor.update(plain), encryptor.final()]);
  }
  return runLegacy(
    `const [name, key, iv, plain] = input;
     const encryptor = createCipheriv(name, Buffer.from(key, "base64"), Buffer.from(iv, "base64"));
     process.stdout.write(encryptor.update(plain, "base64"));
     process.stdout.write(encryptor.final());`,
    [name, ...[key, iv, plain].map((bytes) => bytes.toString("base64"))],
  );
}
