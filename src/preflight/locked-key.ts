/** Private keys that are encrypted by themselves: as PKCS#8 (RFC 5958 §3), or in OpenSSL's traditional PEM. */
import { OCTET_STRING } from "../core/der.ts";
import { messageOf } from "../core/errors.ts";
import type { SourcedBlock } from "../core/material.ts";
import { writePem } from "../core/pem.ts";
import type { Problem } from "../core/problem.ts";
import { childrenOf, readElement } from "./locked/ber.ts";
import { type Scheme, schemeOf } from "./locked/scheme.ts";
import { checkWork } from "./locked/work.ts";
import { type Keyring, type LockedThing, noPassphrase, notOpened, profileViolation } from "./locked-thing.ts";
import { readPassphrase } from "./passphrase.ts";
import { type PrivateKeyFacts, readPrivateKey } from "./private-key.ts";

const ENCRYPTED_PKCS8 = "ENCRYPTED PRIVATE KEY";
/** RFC 1421 §4.6.1.3: how a traditional key is encrypted. */
const DEK_INFO = /^DEK-Info: *([A-Za-z0-9-]{1,40})/;

/** Whether a private key block is encrypted. */
export function isLocked({ label, headers }: SourcedBlock): boolean {
  return label === ENCRYPTED_PKCS8 || headers.some((header) => DEK_INFO.test(header));
}

/** Opens an encrypted private key. Never rejects but with the signal's reason. */
export async function unlockKey(
  block: SourcedBlock,
  { open, passphraseFile, profile }: Keyring,
  signal: AbortSignal,
): Promise<PrivateKeyFacts | Problem> {
  const { where } = block;
  const thing: LockedThing = {
    what: "private key",
    where,
    unreadable: "KEY_UNREADABLE",
    convert: "openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default -in FILE",
  };
  const scheme = schemeOfKey(block);
  if (scheme instanceof Error) {
    return notOpened(thing, { kind: "unreadable", why: messageOf(scheme) }, passphraseFile);
  }
  const violation = profileViolation(thing, [scheme], profile);
  if (violation !== undefined) return violation;

  const read = await readPassphrase(passphraseFile);
  if (!read.ok) return noPassphrase(thing, read.why);
  const passphrase = Buffer.from(read.passphrase.reveal()).toString("base64");
  const answer = await open({ kind: "key", pem: pemOf(block), passphrase }, signal);
  if (answer.kind !== "opened") return notOpened(thing, answer, passphraseFile);
  const [key = ""] = answer.content.reveal().keys;
  return readPrivateKey({ label: "PRIVATE KEY", der: Buffer.from(key, "base64"), where }, answer.isLegacy);
}

/** How it is encrypted; why not where that cannot be told, or it would take too long to open. */
function schemeOfKey({ label, headers, der }: SourcedBlock): Scheme | Error {
  const [, cipher] = headers.map((header) => DEK_INFO.exec(header)).find((found) => found !== null) ?? [];
  if (label !== ENCRYPTED_PKCS8) return { name: `traditional PEM with ${cipher}`, isApproved: false };
  try {
    const [algorithm, data] = childrenOf(readElement(der));
    if (data?.tag !== OCTET_STRING) return new Error("it is damaged");
    checkWork(algorithm);
    return schemeOf(algorithm);
  } catch (thrown) {
    return new Error(messageOf(thrown));
  }
}

/** The header lines that encryption needs belong to a traditional key. */
function pemOf({ label, headers, der }: SourcedBlock): string {
  const pem = writePem(label, der);
  const dek = headers.find((header) => DEK_INFO.test(header));
  return dek === undefined ? pem : pem.replace("\n", `\nProc-Type: 4,ENCRYPTED\n${dek}\n\n`);
}
