/** Private keys of every form that OpenSSL's default provider reads, made PKCS#8. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { systemCodeOf } from "../core/errors.ts";
import type { SourcedBlock } from "../core/material.ts";
import { writePem } from "../core/pem.ts";
import type { Problem } from "../core/problem.ts";
import { Secret } from "../core/secret.ts";

/** A private key that was read. */
export interface PrivateKeyFacts {
  /** PKCS#8 PEM, unencrypted. */
  readonly pem: Secret<string>;
  /** For comparison only: it is exported once, to {@link PrivateKeyFacts.pem}. */
  readonly key: KeyObject;
  /** Such as `EC P-256` or `RSA 2048`. */
  readonly keyType: string;
}

/** The names that certificates and people use for OpenSSL's curves. */
const CURVE_NAMES: ReadonlyMap<string, string> = new Map([
  ["prime256v1", "P-256"],
  ["secp384r1", "P-384"],
  ["secp521r1", "P-521"],
]);

/** Reads a private key block. Messages name the place and the form, never the content. */
export function readPrivateKey(block: SourcedBlock): PrivateKeyFacts | Problem {
  const { label, where, headers, der } = block;
  if (label === "ENCRYPTED PRIVATE KEY" || headers.some((header) => header.startsWith("DEK-Info:"))) {
    const message = `${where}: the private key is encrypted; put it decrypted (openssl pkey -in FILE)`;
    return { code: "KEY_ENCRYPTED", message };
  }
  try {
    const key = createPrivateKey(writePem(label, der));
    const isPkcs8 = label === "PRIVATE KEY";
    const pem = isPkcs8 ? writePem(label, der) : key.export({ type: "pkcs8", format: "pem" }).toString();
    return { pem: new Secret(pem), key, keyType: keyTypeOf(key) };
  } catch (thrown) {
    // OpenSSL's words could quote what it read: only its code is passed on.
    const message = `${where}: OpenSSL cannot read this ${label} (${systemCodeOf(thrown) ?? "no code"}); convert it to PKCS#8 (openssl pkey -in FILE)`;
    return { code: "KEY_UNREADABLE", message };
  }
}

function keyTypeOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const { namedCurve, modulusLength } = asymmetricKeyDetails ?? {};
  if (namedCurve !== undefined) return `EC ${CURVE_NAMES.get(namedCurve) ?? namedCurve}`;
  const algorithm = asymmetricKeyType?.toUpperCase() ?? "unknown";
  return modulusLength === undefined ? algorithm : `${algorithm} ${modulusLength}`;
}
