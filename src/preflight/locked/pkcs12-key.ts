/** Keys from passphrases by the way that PKCS#12 has of its own (RFC 7292 Appendix B): OpenSSL has it, Node does not. */
import { hash as digestOf } from "node:crypto";

/** What a key is for: the identifier of RFC 7292 §B.3. */
export const PURPOSES = { encryption: 1, iv: 2, mac: 3 } as const;

/** What a key is made of. */
export interface Derivation {
  readonly hash: Hash;
  readonly purpose: (typeof PURPOSES)[keyof typeof PURPOSES];
  /** As {@link toBmpString} gives it, or nothing at all. */
  readonly passphrase: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** A hash function by its name for Node. */
export type Hash = keyof typeof BLOCK_BYTES;

/** Input block of each hash function: `v` of RFC 7292 §B.2. */
const BLOCK_BYTES = { sha1: 64, sha224: 64, sha256: 64, sha384: 128, sha512: 128 } as const;

/** A key of so many bytes (RFC 7292 §B.2). */
export function deriveKey(derivation: Derivation, bytes: number): Buffer {
  const { hash, purpose, passphrase, salt, iterations } = derivation;
  const blockBytes = BLOCK_BYTES[hash];
  const diversifier = Buffer.alloc(blockBytes, purpose);
  const input = Buffer.concat([fill(salt, blockBytes), fill(passphrase, blockBytes)]);
  const derived: Buffer[] = [];
  for (let have = 0; have < bytes; ) {
    let digest = digestOf(hash, Buffer.concat([diversifier, input]), "buffer");
    for (let round = 1; round < iterations; round++) digest = digestOf(hash, digest, "buffer");
    derived.push(digest);
    have += digest.length;
    const addend = Buffer.alloc(blockBytes, digest);
    for (let at = 0; at < input.length; at += blockBytes) add(input.subarray(at, at + blockBytes), addend);
  }
  return Buffer.concat(derived).subarray(0, bytes);
}

/** A passphrase in UTF-8 as big-endian UTF-16 with a zero character after it (RFC 7292 §B.1). */
export function toBmpString(passphrase: Uint8Array): Buffer {
  return Buffer.from(`${decode(passphrase)}\0`, "utf16le").swap16();
}

/** Bytes that are not UTF-8 are taken as Latin-1, as OpenSSL takes them. */
function decode(passphrase: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(passphrase);
  } catch {
    return Buffer.from(passphrase).toString("latin1");
  }
}

/** Copies up to the next multiple of the block; nothing stays nothing. */
function fill(bytes: Uint8Array, blockBytes: number): Buffer {
  if (bytes.length === 0) return Buffer.alloc(0);
  return Buffer.alloc(Math.ceil(bytes.length / blockBytes) * blockBytes, bytes);
}

/** `block = block + addend + 1`, as numbers of that many bytes. */
function add(block: Buffer, addend: Buffer): void {
  let carry = 1;
  for (let at = block.length - 1; at >= 0; at--) {
    carry += (block[at] ?? 0) + (addend[at] ?? 0);
    block[at] = carry & 0xff;
    carry >>= 8;
  }
}
