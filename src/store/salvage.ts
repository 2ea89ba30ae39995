/** Finds the bytes of a generation's files again: in what is given, in the files themselves, and in others that have them. */
import { join } from "node:path";
import { lookAt, readWhole, sha256Of } from "./inspect.ts";
import type { BundleFolder, FileName, GenerationFile } from "./layout.ts";
import { listFiles, type Manifest } from "./manifest.ts";

/** Where to look. */
export interface Salvage {
  readonly at: BundleFolder;
  readonly manifest: Manifest;
  /** Other generations: a root or a chain often is the same in several. */
  readonly others: readonly Manifest[];
  /** The files of the bundle, where it is at hand. */
  readonly given: readonly GenerationFile[];
}

/** Every file of which the bytes were found, each with the SHA-256 that the manifest tells of. */
export function salvage({ at, manifest, others, given }: Salvage): ReadonlyMap<FileName, string> {
  const found = new Map<FileName, string>();
  const keep = (name: FileName, content: string | undefined) => {
    const isRight = content !== undefined && sha256Of(content) === manifest.files[name]?.sha256;
    if (isRight && !found.has(name)) found.set(name, content);
  };
  for (const { name, content } of given) keep(name, content);
  const folders = [manifest, ...others];
  for (const [name] of listFiles(manifest)) {
    for (const folder of folders) if (!found.has(name)) keep(name, readFrom(at, folder, name, manifest));
  }

  // tls.pem is tls.key and tls.crt, one after the other: two of the three give the third, and tls.pem gives both.
  const [key, chain] = [found.get("tls.key"), found.get("tls.crt")];
  if (key !== undefined && chain !== undefined) keep("tls.pem", key + chain);
  const combined = found.get("tls.pem");
  if (combined !== undefined) {
    // PEM is ASCII: a byte is a character.
    const keyEnds = manifest.files["tls.key"]?.bytes ?? 0;
    keep("tls.key", combined.slice(0, keyEnds));
    keep("tls.crt", combined.slice(keyEnds));
  }
  return found;
}

/** A file of another generation that should have these bytes, where it has. */
function readFrom(
  at: BundleFolder,
  { generation, files }: Manifest,
  name: FileName,
  wanted: Manifest,
): string | undefined {
  const facts = wanted.files[name];
  if (facts === undefined || files[name]?.sha256 !== facts.sha256) return undefined;
  const folder = at.generation(generation.id);
  if (!lookAt(at.generations)?.isDirectory() || !lookAt(folder)?.isDirectory()) return undefined;
  return readWhole(join(folder, name), facts)?.toString("utf8");
}
