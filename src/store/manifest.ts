/** `manifest.json` of a generation: what it is, how far it came, and what its files have to be. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { asDigest } from "../core/digest.ts";
import { systemCodeOf } from "../core/errors.ts";
import type { Generation, GenerationId } from "../core/generation.ts";
import { bundleName } from "../core/names.ts";
import { type GenerationFile, MANIFEST } from "./layout.ts";

/** A generation with the files it has. */
export interface Manifest {
  readonly generation: Generation;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

const FORMAT = 1;

const leafSchema = z.object({
  subject: z.string(),
  issuer: z.string(),
  serial: z.string(),
  fingerprint256: z.string(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  dnsNames: z.array(z.string()),
  ipAddresses: z.array(z.string()),
  uris: z.array(z.string()),
  keyType: z.string(),
});

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  name: z.string().transform((text) => bundleName(text)),
  id: z.string(),
  digest: z.string().transform((text) => asDigest(text)),
  revision: z.int().nonnegative(),
  state: z.enum(["staged", "live"]),
  stagedAt: z.iso.datetime(),
  changedAt: z.iso.datetime(),
  leaf: leafSchema.nullable(),
  files: z.record(z.string(), z.object({ bytes: z.int(), sha256: z.string() })),
});

/** What the manifest says of each file. */
export function describeFiles(files: readonly GenerationFile[]): Manifest["files"] {
  const describe = ({ content }: GenerationFile) => ({
    bytes: Buffer.byteLength(content),
    sha256: createHash("sha256").update(content).digest("hex"),
  });
  return Object.fromEntries(files.map((file) => [file.name, describe(file)]));
}

export function writeManifest({ generation, files }: Manifest): string {
  return `${JSON.stringify({ format: FORMAT, ...generation, files }, null, 2)}\n`;
}

/** The manifest in a generation's folder, or undefined where there is none that can be used. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, MANIFEST), "utf8");
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (!parsed.success || parsed.data.name === undefined || parsed.data.digest === undefined) return undefined;
  const { files, format: _, name, digest, id, ...rest } = parsed.data;
  return { generation: { ...rest, name, digest, id: id as GenerationId, rollback: null }, files };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
