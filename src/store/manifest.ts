/** `manifest.json` of a generation: what it is, how far it came, and what its files have to be. */
import { join } from "node:path";
import { z } from "zod";
import { asDigest } from "../core/digest.ts";
import type { Generation, GenerationId } from "../core/generation.ts";
import { leafSchema } from "../core/leaf-schema.ts";
import { bundleName } from "../core/names.ts";
import { areFolders, type FileFacts, lookAt, readRegular, sha256Of } from "./inspect.ts";
import { type BundleFolder, FILE_NAMES, type FileName, type GenerationFile, MANIFEST } from "./layout.ts";

/** A generation with the files it has. */
export interface Manifest {
  readonly generation: Generation;
  readonly files: Readonly<Partial<Record<FileName, FileFacts>>>;
  /** Thresholds of expiry that were told of its leaf. */
  readonly warned: readonly string[];
}

const FORMAT = 1;
/** A leaf of thousands of names stays below it. */
export const MAX_MANIFEST_BYTES = 1_048_576n;

const generationId = z.string().transform((text) => text as GenerationId);

const rollbackSchema = z.object({
  at: z.iso.datetime(),
  to: generationId,
  cause: z.enum(["service", "operator", "alert"]),
  why: z.string(),
  quarantined: z.boolean(),
  finished: z.boolean(),
});

const manifestSchema = z
  .object({
    format: z.literal(FORMAT),
    name: z.string().transform((text) => bundleName(text)),
    id: generationId,
    digest: z.string().transform((text) => asDigest(text)),
    revision: z.int().nonnegative(),
    state: z.enum(["staged", "live", "rolledBack"]),
    stagedAt: z.iso.datetime(),
    changedAt: z.iso.datetime(),
    leaf: leafSchema.nullable(),
    // These two came later: a manifest without them is as good.
    rollback: rollbackSchema.nullable().default(null),
    warned: z.array(z.string()).default([]),
    // No other names: they are joined to paths.
    files: z.partialRecord(
      z.enum(FILE_NAMES),
      z.object({ bytes: z.int().nonnegative(), sha256: z.string() }),
    ),
  })
  .refine(({ state, rollback }) => (state === "rolledBack") === (rollback !== null));

/** What the manifest says of each file. */
export function describeFiles(files: readonly GenerationFile[]): Manifest["files"] {
  const describe = ({ content }: GenerationFile): FileFacts => ({
    bytes: Buffer.byteLength(content),
    sha256: sha256Of(content),
  });
  return Object.fromEntries(files.map((file) => [file.name, describe(file)]));
}

/** The files of a manifest by name, in the order of {@link FILE_NAMES}. */
export function listFiles({ files }: Manifest): (readonly [FileName, FileFacts])[] {
  return FILE_NAMES.flatMap((name) => {
    const facts = files[name];
    return facts === undefined ? [] : [[name, facts] as const];
  });
}

/** The names of the files of a manifest. */
export function namesOf(manifest: Manifest): ReadonlySet<FileName> {
  return new Set(listFiles(manifest).map(([name]) => name));
}

export function writeManifest({ generation, files, warned }: Manifest): string {
  return `${JSON.stringify({ format: FORMAT, ...generation, warned, files }, null, 2)}\n`;
}

/**
 * The manifest of a generation; undefined where there is none that can be used. Nothing is read that is no file of
 * keyturn's own: neither through a link in place of a folder or the file, nor from something that has no end.
 */
export function readManifest(at: BundleFolder, id: GenerationId): Manifest | undefined {
  const manifest = parseManifest(readText(at, id) ?? "");
  // The name is what everything else goes by: one that was copied to another folder is none.
  return manifest?.generation.id === id ? manifest : undefined;
}

/** Whether a generation's own folder has a manifest that was not written to its end, or none at all. */
export function isManifestTorn(at: BundleFolder, id: GenerationId): boolean {
  if (!areFolders(at.folder, at.generations, at.generation(id))) return false;
  if (lookAt(join(at.generation(id), MANIFEST)) === undefined) return true;
  const text = readText(at, id);
  return text !== undefined && parseJson(text) === undefined;
}

function readText(at: BundleFolder, id: GenerationId): string | undefined {
  const folder = at.generation(id);
  if (!areFolders(at.folder, at.generations, folder)) return undefined;
  const path = join(folder, MANIFEST);
  const stats = lookAt(path);
  if (!stats?.isFile() || stats.size > MAX_MANIFEST_BYTES) return undefined;
  return readRegular(path, Number(stats.size))?.content.toString("utf8");
}

/** A manifest from its text; undefined where it is none. */
export function parseManifest(text: string): Manifest | undefined {
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (!parsed.success || parsed.data.name === undefined || parsed.data.digest === undefined) return undefined;
  const { files, warned, format: _, name, digest, ...rest } = parsed.data;
  return { generation: { ...rest, name, digest }, files, warned };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
