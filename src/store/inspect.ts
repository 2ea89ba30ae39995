/** Looks at what is on disk without following a link: files are opened, and then judged by their descriptor. */
import { createHash } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  type Stats,
} from "node:fs";
import { systemCodeOf } from "../core/errors.ts";

/** One thing on disk that is not as it has to be. */
export interface Finding {
  /** What is wrong, with the path, for a person. */
  readonly message: string;
  /** Whether a service may have read something wrong, or nothing at all: it then has to be told again. */
  readonly misleads: boolean;
}

/** What a manifest says of a file's bytes. */
export interface FileFacts {
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** Nothing, or no regular file, has the name; or its bytes cannot be had. Other errors say nothing about the file. */
const NOT_READABLE = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "ENXIO", "EACCES", "EIO"]);

export function sha256Of(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** What has the name, itself and not where it leads; undefined where nothing has. */
export function lookAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** Whether each is a folder by itself: nothing in the last of them is reached through a link. */
export function areFolders(...paths: readonly string[]): boolean {
  return paths.every((path) => lookAt(path)?.isDirectory());
}

/** Whether a file has another name too: its mode, owner and bytes then are not keyturn's alone. */
export function isShared(stats: BigIntStats | Stats): boolean {
  return stats.isFile() && stats.nlink > 1;
}

/** What it is, in words that follow "is". */
export function kindOf(
  stats: Pick<BigIntStats | Stats, "isDirectory" | "isFile" | "isSymbolicLink">,
): string {
  if (stats.isFile()) return "a file";
  if (stats.isDirectory()) return "a folder";
  return stats.isSymbolicLink() ? "a symbolic link" : "neither a file nor a folder";
}

/** The bytes of a regular file, where they are those the manifest tells of. */
export function readWhole(path: string, { bytes, sha256 }: FileFacts): Buffer | undefined {
  const read = readRegular(path, bytes);
  return read !== undefined && sha256Of(read.content) === sha256 ? read.content : undefined;
}

/** A regular file of this many bytes, with its mode and owner; undefined where that is not what has the name. */
export function readRegular(
  path: string,
  bytes: number,
): { readonly content: Buffer; readonly stats: Stats } | undefined {
  try {
    const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stats = fstatSync(file);
      return stats.isFile() && stats.size === bytes ? { content: readFileSync(file), stats } : undefined;
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    if (NOT_READABLE.has(systemCodeOf(thrown) ?? "")) return undefined;
    throw thrown;
  }
}
