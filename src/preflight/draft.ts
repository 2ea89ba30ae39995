/** From blocks to a bundle that may be checked: which certificate is the leaf, which chain belongs to it, does the key fit. */
import type { Bundle, Identity } from "../core/bundle.ts";
import type { BlockRole } from "../core/digest.ts";
import { type Contents, countProblems, type SourcedBlock } from "../core/material.ts";
import type { Problem } from "../core/problem.ts";
import type { ReadCertificate } from "./certificate-cache.ts";
import { type Chain, findChain, type Placed } from "./chain.ts";
import { type CrlFacts, readCrl } from "./crl.ts";
import { isRoot } from "./issuer.ts";
import { findLeaf } from "./leaf.ts";
import type { PrivateKeyFacts } from "./private-key.ts";
import type { Unlocked } from "./unlock.ts";

/** What was made of the blocks. */
export interface Draft {
  /** Null where a problem stands against it. */
  readonly bundle: Bundle | null;
  /** What checks look at, as far as it could be read. */
  readonly facts: BundleFacts;
  readonly problems: readonly Problem[];
}

/** A bundle taken apart. */
export interface BundleFacts {
  /** Of the leaf; or of what must be it, where no key says so. Null where there is none. */
  readonly chain: Chain | null;
  /** Each once. */
  readonly certificates: readonly Placed[];
  /** In the order they were given. */
  readonly anchors: readonly Placed[];
  readonly crls: readonly CrlFacts[];
  /** Whether every certificate, and every list, could be read: only then it can be said that one is missing. */
  readonly hasAllCertificates: boolean;
  readonly hasAllCrls: boolean;
  /** Whether there is neither leaf nor key, and none was meant to be. */
  readonly isTrustOnly: boolean;
}

/** How blocks are read. */
export interface DraftTools {
  readonly read: ReadCertificate;
  /** Of several chains, one that is valid now is taken. */
  readonly now: Date;
}

type Located = Pick<Placed, "certificate" | "where">;

const NOTHING: BundleFacts = {
  chain: null,
  certificates: [],
  anchors: [],
  crls: [],
  hasAllCertificates: false,
  hasAllCrls: false,
  isTrustOnly: false,
};

/** Reads every block, and puts together what belongs together; all problems are reported together. */
export function draftBundle(contents: Contents, unlocked: Unlocked, { read, now }: DraftTools): Draft {
  const tooMany = countProblems(unlocked.blocks);
  if (tooMany.length > 0) return { bundle: null, facts: NOTHING, problems: tooMany };
  const locate = (der: Uint8Array, where: string): Located | Problem => {
    const certificate = read(der, where);
    return isProblem(certificate) ? certificate : { certificate, where };
  };
  const presented = readAll(unlocked.blocks, "certificate", locate);
  const trusted = readAll(unlocked.blocks, "trust-anchor", locate);
  const lists = readAll(unlocked.blocks, "crl", readCrl);
  const unread = [...presented.problems, ...trusted.problems];

  const placed = place(presented.found, trusted.found);
  const [key] = unlocked.keys;
  const hindered = [...unread, ...unlocked.problems];
  const { leaf, problem } = findLeaf(placed, key, hindered.length > 0);
  const problems = [...hindered, ...lists.problems, ...(problem === undefined ? [] : [problem])];
  const facts: BundleFacts = {
    chain: leaf === undefined ? null : chainOf(leaf, placed, now),
    certificates: placed,
    anchors: trusted.found.map((one) => ({ ...one, isPresented: false, isAnchor: true })),
    crls: lists.found,
    hasAllCertificates: unread.length === 0,
    hasAllCrls: lists.problems.length === 0,
    isTrustOnly:
      key === undefined && unlocked.problems.length === 0 && presented.count === 0 && trusted.count > 0,
  };
  const bundle = problems.length > 0 ? null : bundleOf(contents, facts, key);
  return { bundle, facts, problems };
}

/** Blocks of one role, each content once. */
function readAll<T extends object>(
  blocks: readonly SourcedBlock[],
  role: BlockRole,
  read: (der: Uint8Array, where: string) => T | Problem,
): { readonly found: readonly T[]; readonly problems: readonly Problem[]; readonly count: number } {
  const ofRole = blocks.filter((block) => block.role === role);
  const distinct = new Map(ofRole.map((block) => [Buffer.from(block.der).toString("latin1"), block]));
  const results = [...distinct.values()].map(({ der, where }) => read(der, where));
  return {
    found: results.filter((result): result is T => !isProblem(result)),
    problems: results.filter(isProblem),
    count: results.length,
  };
}

/** Every certificate once: one may be sent and trusted too. Those that may be sent come first. */
function place(presented: readonly Located[], trusted: readonly Located[]): Placed[] {
  const idOf = ({ certificate }: Located) => certificate.fingerprint256;
  const [sent, kept] = [new Set(presented.map(idOf)), new Set(trusted.map(idOf))];
  return [
    ...presented.map((one) => ({ ...one, isPresented: true, isAnchor: kept.has(idOf(one)) })),
    ...trusted
      .filter((one) => !sent.has(idOf(one)))
      .map((one) => ({ ...one, isPresented: false, isAnchor: true })),
  ];
}

function chainOf(leaf: Placed, placed: readonly Placed[], now: Date): Chain {
  const others = placed.filter((one) => one !== leaf);
  // A leaf that is trusted has to be proven by its issuers all the same, unless it has none.
  return findChain({ ...leaf, isAnchor: leaf.isAnchor && isRoot(leaf.certificate) }, others, now);
}

function bundleOf(
  { name, digest, revision }: Contents,
  { chain, anchors, crls }: BundleFacts,
  key: PrivateKeyFacts | undefined,
): Bundle {
  return {
    name,
    digest,
    revision,
    identity: chain === null || key === undefined ? null : identityOf(chain, key),
    anchors: anchors.map(({ certificate }) => certificate.der),
    crls: crls.map(({ der }) => der),
  };
}

function identityOf({ path, sent }: Chain, { keyType, pem }: PrivateKeyFacts): Identity | null {
  const [leaf] = path;
  if (leaf === undefined) return null;
  const { subject, issuer, serial, fingerprint256, notBefore, notAfter, names } = leaf.certificate;
  const times = { notBefore: notBefore.toISOString(), notAfter: notAfter.toISOString() };
  return {
    leaf: { subject, issuer, serial, fingerprint256, ...times, ...names, keyType },
    chain: sent.map(({ certificate }) => certificate.der),
    privateKeyPem: pem,
  };
}

function isProblem(value: object): value is Problem {
  return "code" in value && "message" in value;
}
