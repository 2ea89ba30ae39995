/** PKCS#12 files: opened by a process of their own, and made blocks like those of a bundle in PEM. */
import { isSelfIssued } from "../core/der.ts";
import { MAX_CERTIFICATES, type SourcedBlock } from "../core/material.ts";
import type { Problem } from "../core/problem.ts";
import { readCertificate } from "./certificate.ts";
import { type Keyring, type LockedThing, noPassphrase, notOpened, profileViolation } from "./locked-thing.ts";
import { readPassphrase } from "./passphrase.ts";
import { MAX_KEYS_READ, type PrivateKeyFacts, readPrivateKey } from "./private-key.ts";

/** What was in a file. */
export interface Unpacked {
  /** Certificates and revocation lists. */
  readonly blocks: readonly SourcedBlock[];
  readonly keys: readonly PrivateKeyFacts[];
  readonly problems: readonly Problem[];
}

/**
 * Opens a file; without a passphrase only one that needs none. Never rejects but with the signal's reason.
 *
 * The code over a file that shows it to be whole is checked and not held against the profile: who can write to etcd
 * could as well put a file without one, and the bundle is proven in other ways.
 */
export async function unpackPkcs12(
  { der, where }: SourcedBlock,
  { open, passphraseFile, profile }: Keyring,
  signal: AbortSignal,
): Promise<Unpacked> {
  const thing: LockedThing = {
    what: "PKCS#12 file",
    where,
    unreadable: "PKCS12_UNREADABLE",
    convert: "openssl pkcs12 -export -keypbe AES-256-CBC -certpbe AES-256-CBC -in PEM -out FILE",
  };
  const read = await readPassphrase(passphraseFile);
  if (!read.ok && passphraseFile !== null) return nothing(noPassphrase(thing, read.why));
  const passphrase = read.ok ? toBase64(read.passphrase.reveal()) : null;
  const answer = await open({ kind: "pkcs12", file: toBase64(der), passphrase }, signal);
  if (answer.kind === "wrongPassphrase" && !read.ok) return nothing(noPassphrase(thing, read.why));
  if (answer.kind !== "opened") return nothing(notOpened(thing, answer, passphraseFile));

  const { certificates, crls, keys, schemes } = answer.content.reveal();
  const refusal = profileViolation(thing, schemes, profile) ?? tooMany(certificates, where);
  if (refusal !== undefined) return nothing(refusal);
  const found = keys
    .slice(0, MAX_KEYS_READ)
    .map((key) =>
      readPrivateKey({ label: "PRIVATE KEY", der: Buffer.from(key, "base64"), where }, answer.isLegacy),
    );
  const readable = found.flatMap((key) => ("code" in key ? [] : [key]));
  return {
    blocks: [
      ...certificates.map((text, at) => certificateBlock(text, `${where}, certificate ${at + 1}`, readable)),
      ...crls.map((text, at) => crlBlock(text, `${where}, revocation list ${at + 1}`)),
    ],
    keys: readable,
    problems: found.flatMap((key) => ("code" in key ? [key] : [])),
  };
}

function nothing(problem: Problem): Unpacked {
  return { blocks: [], keys: [], problems: [problem] };
}

function tooMany(certificates: readonly string[], where: string): Problem | undefined {
  if (certificates.length <= MAX_CERTIFICATES) return undefined;
  const message = `${where} has ${certificates.length} certificates; the most is ${MAX_CERTIFICATES}`;
  return { code: "TOO_MANY_CERTIFICATES", message };
}

/** As in a whole bundle of PEM, what names itself as its issuer is trusted; but a leaf that signed itself is the leaf. */
function certificateBlock(text: string, where: string, keys: readonly PrivateKeyFacts[]): SourcedBlock {
  const der = new Uint8Array(Buffer.from(text, "base64"));
  const isAnchor = isSelfIssued(der) && !isLeafOf(keys, der, where);
  return { role: isAnchor ? "trust-anchor" : "certificate", der, label: "CERTIFICATE", headers: [], where };
}

function isLeafOf(keys: readonly PrivateKeyFacts[], der: Uint8Array, where: string): boolean {
  const certificate = readCertificate(der, where);
  return !("code" in certificate) && keys.some(({ key }) => certificate.fits(key));
}

function crlBlock(text: string, where: string): SourcedBlock {
  const der = new Uint8Array(Buffer.from(text, "base64"));
  return { role: "crl", der, label: "X509 CRL", headers: [], where };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
