/** Gathers the keys of one bundle, and reads them into blocks with a digest. Pure: what etcd holds in, facts out. */
import { isSelfIssued } from "./der.ts";
import { type Block, type BlockRole, type Digest, digestOf } from "./digest.ts";
import { type BundleName, keysOf, type Part } from "./names.ts";
import { readPem } from "./pem.ts";
import type { Problem } from "./problem.ts";
import { type Entry, MAX_VALUE_BYTES } from "./snapshot.ts";

/** A bundle with more certificates is rejected: a chain has three, a trust bundle perhaps thirty. */
export const MAX_CERTIFICATES = 64;

/** What etcd holds of one bundle at one revision. */
export interface Material {
  readonly name: BundleName;
  readonly parts: readonly { readonly part: Part; readonly entry: Entry }[];
  /** Newest revision of any of its keys; 0 where there are none. */
  readonly revision: number;
}

/** A block with where it came from. */
export interface SourcedBlock extends Block {
  /** The PEM label, such as `RSA PRIVATE KEY`. */
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
  const parts = material.parts.filter(({ part }) => part !== "meta.json");
  const problems: Problem[] = [];
  const blocks: SourcedBlock[] = [];
  for (const { part, entry } of parts) {
    const found = readEntry(part, entry);
    if (Array.isArray(found)) blocks.push(...found);
    else problems.push(found as Problem);
  }
  problems.push(...shapeProblems(parts), ...countProblems(blocks));
  if (problems.length > 0) return { ok: false, problems };
  const { name, revision } = material;
  const inParts = parts.every(({ part }) => part !== "whole");
  return { ok: true, contents: { name, revision, digest: digestOf(blocks), blocks, inParts } };
}

function readEntry(part: Part, { key, bytes, value }: Entry): SourcedBlock[] | Problem {
  if (value === null) {
    const message = `${key} holds ${bytes} bytes; the most is ${MAX_VALUE_BYTES}`;
    return { code: "VALUE_TOO_LARGE", message };
  }
  if (bytes === 0)
    return { code: "VALUE_EMPTY", message: `${key} is empty; put PEM blocks there, or delete it` };
  const pem = readPem(value);
  if (!pem.ok) return { code: "PEM_MALFORMED", message: `${key}: ${pem.message}` };
  const blocks = pem.blocks.flatMap(({ label, der, headers, line }) => {
    const role = roleOf(label, part, der);
    return role === undefined ? [] : [{ role, der, label, headers, where: `${key}, line ${line}` }];
  });
  if (blocks.length > 0) return blocks;
  const seen = pem.blocks.map(({ label }) => label).join(", ") || "no PEM block at all";
  return { code: "PEM_MISSING", message: `${key} has no certificate, private key or CRL; it has ${seen}` };
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
  if (keys.length < 2 || parts.every(({ part }) => part !== "whole")) return [];
  const message = `the bundle is given twice, by ${keys.join(" and ")}; delete one of the two shapes`;
  return [{ code: "SHAPE_CONFLICT", message }];
}

function countProblems(blocks: readonly Block[]): Problem[] {
  const certificates = blocks.filter(({ role }) => role === "certificate" || role === "trust-anchor").length;
  if (certificates <= MAX_CERTIFICATES) return [];
  const message = `the bundle has ${certificates} certificates; the most is ${MAX_CERTIFICATES}`;
  return [{ code: "TOO_MANY_CERTIFICATES", message }];
}
