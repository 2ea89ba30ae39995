/** The schemes by which a passphrase encrypts: PBES2 (RFC 8018 §6.2) and those of PKCS#12 (RFC 7292 Appendix C). */
import { childrenOf, type Element, expected, identifierOf } from "./ber.ts";
import { hasApprovedHmac, PBKDF2 } from "./pbkdf2.ts";

/** How something is encrypted. */
export interface Scheme {
  /** Such as `PBES2 with AES-256`. */
  readonly name: string;
  /** Whether SP 800-132 and SP 800-131A approve of it: PBKDF2 with an approved hash, and AES. */
  readonly isApproved: boolean;
}

/** A cipher that a scheme has. */
export interface Cipher {
  /** Its name for OpenSSL. */
  readonly name: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
  readonly title: string;
}

export const PBES2 = "1.2.840.113549.1.5.13";
/** PBES1 (RFC 8018 Appendix A.3); PBES2 is below it too, and told apart first. */
export const PBES1 = /^1\.2\.840\.113549\.1\.5\.\d+$/;
export const SCRYPT = "1.3.6.1.4.1.11591.4.11";

/** Ciphers of PBES2, by object identifier. */
export const PBES2_CIPHERS: ReadonlyMap<string, Cipher> = new Map([
  ["2.16.840.1.101.3.4.1.2", { name: "aes-128-cbc", keyBytes: 16, ivBytes: 16, title: "AES-128" }],
  ["2.16.840.1.101.3.4.1.22", { name: "aes-192-cbc", keyBytes: 24, ivBytes: 16, title: "AES-192" }],
  ["2.16.840.1.101.3.4.1.42", { name: "aes-256-cbc", keyBytes: 32, ivBytes: 16, title: "AES-256" }],
  ["1.2.840.113549.3.7", { name: "des-ede3-cbc", keyBytes: 24, ivBytes: 8, title: "triple DES" }],
  ["1.3.14.3.2.7", { name: "des-cbc", keyBytes: 8, ivBytes: 8, title: "DES" }],
]);

/** Schemes of PKCS#12, by object identifier: each is a cipher with a key made by SHA-1. */
export const PKCS12_CIPHERS: ReadonlyMap<string, Cipher> = new Map([
  ["1.2.840.113549.1.12.1.1", { name: "rc4", keyBytes: 16, ivBytes: 0, title: "RC4-128" }],
  ["1.2.840.113549.1.12.1.2", { name: "rc4-40", keyBytes: 5, ivBytes: 0, title: "RC4-40" }],
  ["1.2.840.113549.1.12.1.3", { name: "des-ede3-cbc", keyBytes: 24, ivBytes: 8, title: "triple DES" }],
  ["1.2.840.113549.1.12.1.4", { name: "des-ede-cbc", keyBytes: 16, ivBytes: 8, title: "two-key triple DES" }],
  ["1.2.840.113549.1.12.1.5", { name: "rc2-cbc", keyBytes: 16, ivBytes: 8, title: "RC2-128" }],
  ["1.2.840.113549.1.12.1.6", { name: "rc2-40-cbc", keyBytes: 5, ivBytes: 8, title: "RC2-40" }],
]);

/** What an AlgorithmIdentifier says. Throws an Error where it is damaged. */
export function schemeOf(algorithm: Element | undefined): Scheme {
  const [identifier, parameters] = childrenOf(expected(algorithm));
  const id = identifierOf(identifier);
  if (id === PBES2) return pbes2SchemeOf(parameters);
  const title = PKCS12_CIPHERS.get(id)?.title;
  const name = title === undefined ? id : `PKCS#12 with ${title}`;
  return { name: PBES1.test(id) ? "PBES1" : name, isApproved: false };
}

function pbes2SchemeOf(parameters: Element | undefined): Scheme {
  const [derivation, encryption] = childrenOf(expected(parameters)).map(childrenOf);
  const [kdf, cipherId] = [identifierOf(derivation?.[0]), identifierOf(encryption?.[0])];
  const cipher = PBES2_CIPHERS.get(cipherId)?.title ?? cipherId;
  if (kdf !== PBKDF2) {
    return { name: `PBES2 with ${kdf === SCRYPT ? "scrypt" : kdf} and ${cipher}`, isApproved: false };
  }
  return {
    name: `PBES2 with ${cipher}`,
    isApproved: cipher.startsWith("AES-") && hasApprovedHmac(derivation?.[1]),
  };
}
