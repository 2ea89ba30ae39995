/** From blocks to a bundle: which certificate is the leaf, which chain belongs to it, and does the key fit. */
import type { Bundle, Identity } from "../core/bundle.ts";
import { sameBytes } from "../core/der.ts";
import type { BlockRole } from "../core/digest.ts";
import type { Contents, SourcedBlock } from "../core/material.ts";
import type { Problem } from "../core/problem.ts";
import { type CertificateFacts, isIssuerOf, namesItself, readCertificate } from "./certificate.ts";
import type { ReadCertificate } from "./certificate-cache.ts";
import { type PrivateKeyFacts, readPrivateKey } from "./private-key.ts";

/** A bundle, or every reason why it is none. */
export type ReadResult =
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads every block; all problems are reported together. */
export function readBundle(contents: Contents, read: ReadCertificate = readCertificate): ReadResult {
  const problems: Problem[] = [];
  const sort = <T extends object>(found: T | Problem): readonly T[] => {
    if (!isProblem(found)) return [found];
    problems.push(found);
    return [];
  };
  const blocksOf = (role: BlockRole) => distinct(contents.blocks.filter((block) => block.role === role));
  const certificatesOf = (role: BlockRole) =>
    blocksOf(role).flatMap(({ der, where }) => sort(read(der, where)));

  const presented = certificatesOf("certificate");
  const anchors = certificatesOf("trust-anchor");
  const [keyBlock, ...otherKeys] = blocksOf("private-key");
  const keys = keyBlock === undefined ? [] : sort(readPrivateKey(keyBlock));
  if (keyBlock !== undefined && otherKeys.length > 0) problems.push(tooManyKeys(keyBlock, otherKeys));
  if (problems.length > 0) return { ok: false, problems };

  const identity = identityOf(presented, anchors, keys[0]);
  if (isProblem(identity)) return { ok: false, problems: [identity] };
  const { name, digest, revision } = contents;
  const crls = blocksOf("crl").map(({ der }) => der);
  return {
    ok: true,
    bundle: { name, digest, revision, identity, anchors: anchors.map(({ der }) => der), crls },
  };
}

function identityOf(
  presented: readonly CertificateFacts[],
  anchors: readonly CertificateFacts[],
  key: PrivateKeyFacts | undefined,
): Identity | null | Problem {
  if (key === undefined) {
    if (presented.length === 0 && anchors.length > 0) return null;
    return presented.length === 0
      ? { code: "LEAF_MISSING", message: "there is no certificate; put the leaf and its chain" }
      : { code: "KEY_MISSING", message: `there is no private key for ${presented[0]?.subject}; put it too` };
  }
  // A leaf that signed itself may come as trust anchor too.
  const others = anchors.filter(({ der }) => !presented.some((sent) => sameBytes(sent.der, der)));
  const fitting = [...presented, ...others].filter((certificate) => certificate.fits(key.key));
  const [leaf] = fitting;
  if (presented.length === 0 && leaf === undefined) {
    return {
      code: "LEAF_MISSING",
      message: "there is a private key and no certificate for it; put the leaf",
    };
  }
  if (leaf === undefined) {
    const subjects = presented.map(({ subject }) => subject).join("; ");
    return {
      code: "KEY_MISMATCH",
      message: `the private key belongs to none of the certificates (${subjects})`,
    };
  }
  if (fitting.length > 1) {
    const serials = fitting.map(({ serial }) => serial).join(", ");
    return {
      code: "LEAF_AMBIGUOUS",
      message: `the key fits several certificates (serials ${serials}); put one`,
    };
  }
  return { leaf: summaryOf(leaf, key), chain: chainOf(leaf, presented), privateKeyPem: key.pem };
}

/** The leaf, then each certificate that issued the one before it; a root is never sent (RFC 8446 §4.4.2). */
function chainOf(leaf: CertificateFacts, presented: readonly CertificateFacts[]): Uint8Array[] {
  const chain = [leaf];
  let left = presented.filter((certificate) => certificate !== leaf && !namesItself(certificate));
  for (let at: CertificateFacts | undefined = leaf; at !== undefined; ) {
    const subject: CertificateFacts = at;
    const issuer = left.find((candidate) => isIssuerOf(candidate, subject));
    left = left.filter((candidate) => candidate !== issuer);
    if (issuer !== undefined) chain.push(issuer);
    at = issuer;
  }
  return chain.map(({ der }) => der);
}

function summaryOf(leaf: CertificateFacts, key: PrivateKeyFacts): Identity["leaf"] {
  const { subject, issuer, serial, fingerprint256, notBefore, notAfter, names } = leaf;
  return {
    subject,
    issuer,
    serial,
    fingerprint256,
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    ...names,
    keyType: key.keyType,
  };
}

function distinct(blocks: readonly SourcedBlock[]): SourcedBlock[] {
  const byContent = new Map(blocks.map((block) => [Buffer.from(block.der).toString("latin1"), block]));
  return [...byContent.values()];
}

function tooManyKeys(first: SourcedBlock, others: readonly SourcedBlock[]): Problem {
  const message = `there are ${others.length + 1} private keys (${first.where}; ${others[0]?.where}…); put one`;
  return { code: "TOO_MANY_KEYS", message };
}

function isProblem(value: object | null): value is Problem {
  return value !== null && "code" in value && "message" in value;
}
