/** Gathers the keys of one bundle, and reads them into blocks with a digest. Pure: what etcd holds in, facts out. */
import { isSelfIssued } from "./der.ts";
import { type Block, type BlockRole, type Digest, digestOf } from "./digest.ts";
import { type BundleName, isWholeBundle, keysOf, type Part } from "./names.ts";
import { readPem } from "./pem.ts";
import { beginsLikeDer, whyNotPkcs12 } from "./pkcs12-value.ts";
import type { Problem } from "./problem.ts";
import { type Entry, MAX_VALUE_BYTES } from "./snapshot.ts";
import { listSome } from "./words.ts";

/** A bundle with more certificates is rejected: a chain has three, a trust bundle perhaps thirty. */
export const MAX_CERTIFICATES = 64;
/** A bundle with more revocation lists is rejected: each authority of a chain has one, or a few of different kinds. */
export const MAX_CRLS = 64;

/** What etcd holds of one bundle at one revision. */
export interface Material {
  readonly name: BundleName;
  readonly parts: readonly { readonly part: Part; readonly entry: Entry }[];
  /** Newest revision of any of its keys; 0 where there are none. */
  readonly revision: number;
}

/** A block with where it came from. */
export interface SourcedBlock extends Block {
  /** The PEM label, such as `RSA PRIVATE KEY`; `PKCS12` for a PKCS#12 file, of which `der` is all of it. */
  readonly label: string;
  /** Header lines of the block: a traditional encrypted key needs them. */
  readonly headers: readonly string[];
  /** Key of etcd and line, for messages. */
  readonly where: string;
}

/** The blocks of a bundle, not yet looked into. */
export interface Contents {
  readonly name: BundleName;
  readonly revision: number;
  readonly digest: Digest;
  readonly blocks: readonly SourcedBlock[];
  /** Whether the bundle comes in parts, and a part may still be on its way. */
  readonly inParts: boolean;
}

/** The contents, or every reason why there are none. */
export type ContentsResult =
  | { readonly ok: true; readonly contents: Contents }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const ROLES: ReadonlyMap<string, BlockRole> = new Map([
  ["CERTIFICATE", "certificate"],
  // RFC 7468 §5.1 and §6 name these as older labels that readers may accept.
  ["X509 CERTIFICATE", "certificate"],
  ["X.509 CERTIFICATE", "certificate"],
  ["X509 CRL", "crl"],
  ["CRL", "crl"],
  ["PRIVATE KEY", "private-key"],
  ["ENCRYPTED PRIVATE KEY", "private-key"],
  ["RSA PRIVATE KEY", "private-key"],
  ["EC PRIVATE KEY", "private-key"],
  ["DSA PRIVATE KEY", "private-key"],
  ["OPENSSH PRIVATE KEY", "private-key"],
]);

/** Collects the keys of one bundle from everything under the prefix. */
export function gatherMaterial(
  prefix: string,
  name: BundleName,
  entries: ReadonlyMap<string, Entry>,
): Material {
  const parts = keysOf(prefix, name).flatMap(({ key, part }) => {
    const entry = entries.get(key);
    return entry === undefined ? [] : [{ part, entry }];
  });
  return { name, parts, revision: Math.max(0, ...parts.map(({ entry }) => entry.modRevision)) };
}

/** Whether there is anything to put on disk; `meta.json` alone is not. */
export function isAbsent(material: Material): boolean {
  return material.parts.every(({ part }) => part === "meta.json");
}

/** Reads every block of the bundle and computes its digest; all problems are reported together. */
export function readMaterial(material: Material): ContentsResult {
  return readParts(material, shapeProblems);
}

/** The same of values that are one bundle though no key of etcd says so, such as files: any number, of any shape. */
export function readTogether(material: Material): ContentsResult {
  return readParts(material, () => []);
}

function readParts(
  material: Material,
  checkShape: (parts: Material["parts"]) => readonly Problem[],
): ContentsResult {
  const parts = material.parts.filter(({ part }) => part !== "meta.json");
  const problems: Problem[] = [];
  const blocks: SourcedBlock[] = [];
  for (const { part, entry } of parts) {
    const found = readEntry(part, entry);
    if (Array.isArray(found)) blocks.push(...found);
    else problems.push(found as Problem);
  }
  problems.push(...checkShape(parts), ...countProblems(blocks));
  if (problems.length > 0) return { ok: false, problems };
  const { name, revision } = material;
  const inParts = parts.every(({ part }) => !isWholeBundle(part));
  return { ok: true, contents: { name, revision, digest: digestOf(blocks), blocks, inParts } };
}

function readEntry(part: Part, { key, bytes, value }: Entry): SourcedBlock[] | Problem {
  if (value === null) {
    const message = `${key} holds ${bytes} bytes; the most is ${MAX_VALUE_BYTES}`;
    return { code: "VALUE_TOO_LARGE", message };
  }
  if (bytes === 0)
    return { code: "VALUE_EMPTY", message: `${key} is empty; put the bundle there, or delete it` };
  if (part === "pkcs12") return readPkcs12(key, value);
  const pem = readPem(value);
  if (!pem.ok) return { code: "PEM_MALFORMED", message: `${key}: ${pem.message}` };
  const blocks = pem.blocks.flatMap(({ label, der, headers, line }) => {
    const role = roleOf(label, part, der);
    return role === undefined ? [] : [{ role, der, label, headers, where: `${key}, line ${line}` }];
  });
  if (blocks.length > 0) return blocks;
  const binary = "only binary (put PEM, or a PKCS#12 file at a key that ends in .p12)";
  const none = beginsLikeDer(value) ? binary : "no PEM block at all";
  const seen = listSome([...new Set(pem.blocks.map(({ label }) => label))]) || none;
  return { code: "PEM_MISSING", message: `${key} has no certificate, private key or CRL; it has ${seen}` };
}

/** A PKCS#12 file is opened by whoever has its passphrase: the digest is over all of it, and needs none. */
function readPkcs12(key: string, der: Uint8Array): SourcedBlock[] | Problem {
  const message = whyNotPkcs12(key, der);
  if (message !== undefined) return { code: "PKCS12_UNREADABLE", message };
  return [{ role: "pkcs12", der, label: "PKCS12", headers: [], where: key }];
}

/** Parameters and requests that tools leave beside a key have no role, and are passed over. */
function roleOf(label: string, part: Part, der: Uint8Array): BlockRole | undefined {
  const role = ROLES.get(label);
  if (role !== "certificate") return role;
  // In parts only ca.crt is trusted: a public root that came along in tls.crt must not start to admit clients.
  const trusted = part === "ca.crt" || (part === "whole" && isSelfIssued(der));
  return trusted ? "trust-anchor" : "certificate";
}

function shapeProblems(parts: Material["parts"]): Problem[] {
  const keys = parts.map(({ entry }) => entry.key);
  if (keys.length < 2 || !parts.some(({ part }) => isWholeBundle(part))) return [];
  const message = `the bundle is given twice, by ${keys.join(" and ")}; delete one of the two shapes`;
  return [{ code: "SHAPE_CONFLICT", message }];
}

/** What a bundle has more of than is ever looked at. */
export function countProblems(blocks: readonly Block[]): Problem[] {
  const count = (...roles: readonly BlockRole[]) => blocks.filter(({ role }) => roles.includes(role)).length;
  const [certificates, crls] = [count("certificate", "trust-anchor"), count("crl")];
  const problems: Problem[] = [];
  if (certificates > MAX_CERTIFICATES) {
    const message = `the bundle has ${certificates} certificates; the most is ${MAX_CERTIFICATES}`;
    problems.push({ code: "TOO_MANY_CERTIFICATES", message });
  }
  if (crls > MAX_CRLS) {
    const message = `the bundle has ${crls} revocation lists; the most is ${MAX_CRLS}`;
    problems.push({ code: "TOO_MANY_CRLS", message });
  }
  return problems;
}
