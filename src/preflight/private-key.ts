/** Private keys of every unencrypted form that OpenSSL's default provider reads, made PKCS#8. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { systemCodeOf } from "../core/errors.ts";
import type { SourcedBlock } from "../core/material.ts";
import { writePem } from "../core/pem.ts";
import type { Problem } from "../core/problem.ts";
import { Secret } from "../core/secret.ts";
import { foreignCurveOfKey } from "./key-curve.ts";
import { mayBeHugeDsaKey } from "./key-size.ts";
import { keyTypeOf } from "./key-type.ts";

/** A private key that was read. */
export interface PrivateKeyFacts {
  /** PKCS#8 PEM, unencrypted. */
  readonly pem: Secret<string>;
  /** For comparison only: it is exported once, to {@link PrivateKeyFacts.pem}. */
  readonly key: KeyObject;
  /** Such as `EC P-256` or `RSA 2048`. */
  readonly keyType: string;
  /** Where it came from, for messages. */
  readonly where: string;
  /** Whether it came in a form that OpenSSL's default provider refuses. */
  readonly isLegacy: boolean;
}

/** A bundle has one key. Of more, these are read to say so, and the others are not. */
export const MAX_KEYS_READ = 8;

const OPENSSH = "OPENSSH PRIVATE KEY";

/** Reads a private key block that is not encrypted. Messages name the place and the form, never the content. */
export function readPrivateKey(
  { label, der, where }: Pick<SourcedBlock, "label" | "der" | "where">,
  isLegacy = false,
): PrivateKeyFacts | Problem {
  const curve = foreignCurveOfKey(der);
  if (curve !== undefined) {
    const message = `${where}: this private key is on the curve ${curve}; use P-256, P-384 or P-521`;
    return { code: "CURVE_UNSUPPORTED", message };
  }
  if (label !== OPENSSH && mayBeHugeDsaKey(der)) {
    const message = `${where}: this private key of ${der.length} bytes is damaged, or of DSA and larger than there are; use RSA, P-256, P-384 or P-521`;
    return { code: "KEY_UNREADABLE", message };
  }
  try {
    const key = createPrivateKey(writePem(label, der));
    const isPkcs8 = label === "PRIVATE KEY";
    const pem = isPkcs8 ? writePem(label, der) : key.export({ type: "pkcs8", format: "pem" }).toString();
    return { pem: new Secret(pem), key, keyType: keyTypeOf(key), where, isLegacy };
  } catch (thrown) {
    // OpenSSL's words could quote what it read: only its code is passed on.
    const code = systemCodeOf(thrown) ?? "no code";
    const message = `${where}: OpenSSL cannot read this ${label} (${code}); ${howToConvert(label)}`;
    return { code: "KEY_UNREADABLE", message };
  }
}

function howToConvert(label: string): string {
  if (label !== OPENSSH) return "convert it to PKCS#8 (openssl pkey -in FILE)";
  // OpenSSH 9.2 says that it has saved the file, and has not changed its form.
  const ed25519 =
    "where that leaves an Ed25519 key as it is, make a new one (openssl genpkey -algorithm ed25519)";
  return `convert it to PKCS#8 in place (ssh-keygen -p -N "" -m PKCS8 -f FILE); ${ed25519}`;
}
