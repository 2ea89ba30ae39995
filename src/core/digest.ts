/** The digest that says whether content changed: over what the blocks mean, not over how they were written. */
import { createHash } from "node:crypto";

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = string & { readonly __brand: "Digest" };

/**
 * What a block is for. A trust anchor is a certificate of `ca.crt`, or one in a whole bundle that names itself as
 * its issuer; every other certificate belongs to the leaf's chain. A PKCS#12 file is one block: what is in it can be
 * told only with its passphrase.
 */
export type BlockRole = "certificate" | "trust-anchor" | "private-key" | "crl" | "pkcs12";

/** One block of a bundle, by role. */
export interface Block {
  readonly role: BlockRole;
  readonly der: Uint8Array;
}

const PREFIX = "sha256:";
/** Changes when the canonical form below changes, so that digests of two forms never meet. */
const FORMAT = "keyturn bundle 1\n";

/**
 * SHA-256 over the set of blocks: each as its role, its length in bytes and its DER, in the order of role, then DER.
 *
 * So comments, line endings, header lines, attributes, the order of blocks and a block given twice do not count, and
 * every byte of DER does, the private key's too.
 */
export function digestOf(blocks: readonly Block[]): Digest {
  const hash = createHash("sha256").update(FORMAT);
  let previous: Block | undefined;
  for (const block of [...blocks].sort(inCanonicalOrder)) {
    if (previous !== undefined && inCanonicalOrder(previous, block) === 0) continue;
    hash.update(`${block.role} ${block.der.length}\n`).update(block.der);
    previous = block;
  }
  return `${PREFIX}${hash.digest("hex")}` as Digest;
}

function inCanonicalOrder(a: Block, b: Block): number {
  if (a.role !== b.role) return a.role < b.role ? -1 : 1;
  return Buffer.compare(a.der, b.der);
}

/** Its hexadecimal digits: all of them, or the first so many. */
export function digitsOf(digest: Digest, most?: number): string {
  return digest.slice(PREFIX.length).slice(0, most);
}

/** Its first digits, as far as people compare them. */
export function shortDigest(digest: Digest): string {
  return digitsOf(digest, 12);
}

/** A digest as text, where it is one: for reading it back from disk. */
export function asDigest(text: string): Digest | undefined {
  return /^sha256:[0-9a-f]{64}$/.test(text) ? (text as Digest) : undefined;
}
