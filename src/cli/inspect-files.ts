/** Files of a person as values that etcd could hold: what each is of a bundle is told by its name and its bytes. */
import { type FileHandle, open } from "node:fs/promises";
import { basename, extname } from "node:path";
import { KeyturnError, messageOf } from "../core/errors.ts";
import type { Part } from "../core/names.ts";
import { beginsLikeDer } from "../core/pkcs12-value.ts";
import { type Entry, MAX_VALUE_BYTES } from "../core/snapshot.ts";

/** A file that was read. */
export interface GivenFile {
  readonly part: Part;
  /** Its `key` is the path, for messages. */
  readonly entry: Entry;
  /** Whether anybody on this machine may read it. */
  readonly isOpenToAll: boolean;
}

/** As in a Kubernetes TLS secret, and in etcd. */
const PARTS: readonly Part[] = ["tls.crt", "tls.key", "ca.crt", "ca.crl", "meta.json"];
/** Names by which people keep what is trusted. */
const TRUSTED = /^ca([-_.]?(bundle|certs?|certificates?|roots?))?\.(crt|pem|cer|cert)$/i;
const PKCS12_SUFFIXES: readonly string[] = [".p12", ".pfx"];
const OPEN_TO_ALL = 0o004;

/**
 * Reads a file; of one that is far too large only as much as shows that it is.
 *
 * @param partOf What it is of a bundle.
 * @throws KeyturnError USAGE where it cannot be read.
 */
export async function readGiven(
  path: string,
  partOf: (path: string, value: Uint8Array) => Part,
): Promise<GivenFile> {
  try {
    const handle = await open(path);
    try {
      const stats = await handle.stat();
      const value = await readUpTo(handle, MAX_VALUE_BYTES + 1);
      const isTooLarge = value.length > MAX_VALUE_BYTES;
      const bytes = Math.max(value.length, stats.isFile() ? stats.size : 0);
      const entry = { key: path, bytes, value: isTooLarge ? null : value, modRevision: 0 };
      const isOpenToAll = stats.isFile() && (stats.mode & OPEN_TO_ALL) !== 0;
      return { part: partOf(path, value), entry, isOpenToAll };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new KeyturnError("USAGE", `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** A pipe gives what it has in pieces, and does not say how much that is. */
async function readUpTo(handle: FileHandle, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let left = most; left > 0; ) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(left, 64 << 10)));
    if (bytesRead === 0) break;
    pieces.push(buffer.subarray(0, bytesRead));
    left -= bytesRead;
  }
  return Buffer.concat(pieces);
}

/** Told by the name of the file, where that is a usual one. */
export function partByName(path: string, value: Uint8Array): Part {
  const whole = wholePart(path, value);
  const name = basename(path);
  if (whole === "pkcs12") return whole;
  return PARTS.find((part) => part === name) ?? (TRUSTED.test(name) ? "ca.crt" : whole);
}

/** Of a file that is a whole bundle, whatever its name: PEM, or PKCS#12. */
export function wholePart(path: string, value: Uint8Array): "whole" | "pkcs12" {
  const isNamedSo = PKCS12_SUFFIXES.includes(extname(path).toLowerCase());
  return isPkcs12(value) || (isNamedSo && beginsLikeDer(value)) ? "pkcs12" : "whole";
}

/** `PFX ::= SEQUENCE { version INTEGER (3), … }` (RFC 7292 §4), of a definite length or not. */
function isPkcs12(value: Uint8Array): boolean {
  if (!beginsLikeDer(value)) return false;
  const begin = 2 + ((value[1] ?? 0) & 0x7f);
  return [0x02, 0x01, 0x03].every((byte, at) => value[begin + at] === byte);
}
