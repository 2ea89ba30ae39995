/** What is to be put: files, each with the key of etcd it becomes the value of. */
import { KeyturnError } from "../core/errors.ts";
import type { Material } from "../core/material.ts";
import { type BundleName, isWholeBundle, keysOf, type Part } from "../core/names.ts";
import { readPem } from "../core/pem.ts";
import type { Entry } from "../core/snapshot.ts";
import { type GivenFile, readGiven, wholePart } from "./inspect-files.ts";

/** Files that are named on the command line. */
export interface PutFiles {
  /** The whole bundle in one. */
  readonly file?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
  readonly crl?: string | undefined;
  readonly meta?: string | undefined;
}

/** Files that were read. */
export interface Given {
  /** Files as parts of one bundle, for the checks; their paths are in place of keys. */
  readonly material: Material;
  readonly meta: Entry | undefined;
  /** Every key that is to be there afterwards, `meta.json` too where it is given. */
  readonly values: ReadonlyMap<string, Uint8Array>;
  /** What a person should know of the files; nothing is held up for it. */
  readonly warnings: readonly string[];
}

/**
 * Reads the files.
 *
 * @throws KeyturnError USAGE where they make no bundle together, or one cannot be read.
 */
export async function readPutFiles(prefix: string, name: BundleName, files: PutFiles): Promise<Given> {
  const given: GivenFile[] = [];
  // One after another: several may be one pipe.
  for (const [path, partOf] of pathsOf(files)) given.push(await readGiven(path, partOf));
  // Of the two keys for PEM the last one is taken, `NAME.pem`: it says what it holds.
  const keys = new Map(keysOf(prefix, name).map(({ key, part }) => [part, key]));
  const values = given.flatMap(({ part, entry }) => {
    const key = keys.get(part);
    return key === undefined || entry.value === null ? [] : [[key, entry.value] as const];
  });
  return {
    material: { name, parts: given.filter(({ part }) => part !== "meta.json"), revision: 0 },
    meta: given.find(({ part }) => part === "meta.json")?.entry,
    values: new Map(values),
    warnings: given.flatMap(warningsOn),
  };
}

type FileToRead = readonly [path: string, partOf: (path: string, value: Uint8Array) => Part];

/** In one shape: a whole bundle, leaf and key with what belongs to them, or trust anchors alone. */
function pathsOf({ file, cert, key, ca, crl, meta }: PutFiles): FileToRead[] {
  const parts = [
    ...one(cert, "tls.crt"),
    ...one(key, "tls.key"),
    ...one(ca, "ca.crt"),
    ...one(crl, "ca.crl"),
  ];
  if ((file === undefined) === (parts.length === 0)) {
    throw usage("give one FILE with the whole bundle, or its parts with --cert, --key, --ca and --crl");
  }
  if ((cert === undefined) !== (key === undefined)) throw usage("give --cert and --key together");
  if (file === undefined && cert === undefined && ca === undefined) {
    throw usage("a revocation list is no bundle: give --cert and --key, or --ca, too");
  }
  const whole: FileToRead[] = file === undefined ? [] : [[file, wholePart]];
  return [...whole, ...parts, ...one(meta, "meta.json")];
}

function one(path: string | undefined, part: Part): FileToRead[] {
  return path === undefined ? [] : [[path, () => part]];
}

function usage(message: string): KeyturnError {
  return new KeyturnError("USAGE", message);
}

/** @throws KeyturnError USAGE where a private key would be put where none belongs. */
function warningsOn({ part, entry, isOpenToAll }: GivenFile): string[] {
  const { key: path, value } = entry;
  if (value === null || part === "meta.json" || !holdsKey(part, value)) return [];
  if (part !== "tls.key" && !isWholeBundle(part)) {
    throw usage(`${path} holds a private key, which does not belong into ${part}: give a file without it`);
  }
  const advice = `${path} holds a private key, and everybody on this machine may read it: chmod 600 ${path}`;
  return isOpenToAll ? [advice] : [];
}

function holdsKey(part: Part, value: Uint8Array): boolean {
  if (part === "pkcs12") return true;
  const pem = readPem(value);
  return pem.ok && pem.blocks.some(({ label }) => label.endsWith("PRIVATE KEY"));
}
