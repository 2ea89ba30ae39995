/** Where everything of a bundle is on disk, and what the files hold. Pure: names in, names out. */
import { join } from "node:path";
import type { Bundle } from "../core/bundle.ts";
import { type Digest, digitsOf } from "../core/digest.ts";
import type { BundlePaths, GenerationId } from "../core/generation.ts";
import { writePem } from "../core/pem.ts";

/** The files of a generation; the bundle's folder has a link of the same name to each. */
export const FILE_NAMES = ["tls.crt", "tls.key", "tls.pem", "ca.crt", "ca.crl"] as const;
export type FileName = (typeof FILE_NAMES)[number];

export const CURRENT = "current";
export const GENERATIONS = ".generations";
export const MANIFEST = "manifest.json";
/** Begin the names of what is not finished, or not yet gone: start-up removes them. */
export const UNFINISHED = ".new-";
export const LEAVING = ".old-";

/** One file of a generation. */
export interface GenerationFile {
  readonly name: FileName;
  readonly content: string;
}

/** Whether a file holds the private key. */
export function isPrivate(name: FileName): boolean {
  return name === "tls.key" || name === "tls.pem";
}

/** The folders of one bundle. */
export interface BundleFolder {
  readonly folder: string;
  readonly current: string;
  readonly generations: string;
  generation(id: GenerationId): string;
}

export function folderOf(outputDir: string, bundle: string): BundleFolder {
  const folder = join(outputDir, bundle);
  const generations = join(folder, GENERATIONS);
  return {
    folder,
    generations,
    current: join(folder, CURRENT),
    generation: (id) => join(generations, id),
  };
}

/** The files of a bundle: certificates leaf first, the key as PKCS#8, both together, and what is trusted. */
export function filesOf({ identity, anchors, crls }: Bundle): GenerationFile[] {
  const files: GenerationFile[] = [];
  const add = (name: FileName, content: string) => files.push({ name, content });
  if (identity !== null) {
    const chain = identity.chain.map((der) => writePem("CERTIFICATE", der)).join("");
    const key = identity.privateKeyPem.reveal();
    add("tls.crt", chain);
    add("tls.key", key);
    add("tls.pem", key + chain);
  }
  if (anchors.length > 0) add("ca.crt", anchors.map((der) => writePem("CERTIFICATE", der)).join(""));
  if (crls.length > 0) add("ca.crl", crls.map((der) => writePem("X509 CRL", der)).join(""));
  return files;
}

/** The paths services are given: through the links, so they stay the same for ever. */
export function pathsOf(folder: string, has: ReadonlySet<string>): BundlePaths {
  const path = (name: FileName) => (has.has(name) ? join(folder, name) : null);
  return {
    dir: folder,
    cert: path("tls.crt"),
    key: path("tls.key"),
    combined: path("tls.pem"),
    ca: path("ca.crt"),
    crl: path("ca.crl"),
  };
}

const ID = /^(\d{6,})-[0-9a-f]{8}$/;

/** `000042-9f86d081`: sorts by age whatever the clock did. */
export function generationId(sequence: number, digest: Digest): GenerationId {
  return `${String(sequence).padStart(6, "0")}-${digitsOf(digest, 8)}` as GenerationId;
}

/** The sequence number of a generation's name; undefined for any other name. */
export function sequenceOf(name: string): number | undefined {
  const digits = ID.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Whether two names of generations say that they hold the same content. */
export function haveSameContent(a: GenerationId, b: GenerationId): boolean {
  return a.slice(a.indexOf("-")) === b.slice(b.indexOf("-"));
}
