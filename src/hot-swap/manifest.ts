/** What is used of a generation's `manifest.json`: what it is, and what its files have to be. */
import { z } from "zod";
import { leafSchema } from "../core/leaf-schema.ts";
import type { VersionFacts } from "./bundle-version.ts";

/** The files of a generation that a service uses. */
const FILES = ["tls.pem", "tls.crt", "tls.key", "ca.crt", "ca.crl"] as const;
export type FileName = (typeof FILES)[number];

/** A manifest. */
export interface Manifest {
  readonly facts: VersionFacts;
  /** SHA-256 of each file, hexadecimal. */
  readonly files: Readonly<Partial<Record<FileName, { readonly bytes: number; readonly sha256: string }>>>;
}

const manifestSchema = z.object({
  format: z.literal(1),
  name: z.string(),
  id: z.string(),
  digest: z.string(),
  revision: z.int(),
  leaf: leafSchema.nullable(),
  files: z.partialRecord(z.enum(FILES), z.object({ bytes: z.int(), sha256: z.string() })),
});

/** Undefined for what is no manifest of this format. */
export function parseManifest(text: string): Manifest | undefined {
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { name, id, digest, revision, leaf, files } = parsed.data;
  return { facts: { bundle: name, generation: id, digest, revision, leaf }, files };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
