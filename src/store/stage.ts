/** Makes a new generation of files, with nobody pointed at it. */
import type { Generation } from "../core/generation.ts";
import { withManifest } from "./bundle-state.ts";
import { toStoreFailure } from "./durable.ts";
import { type GenerationFile, generationId } from "./layout.ts";
import { describeFiles, type Manifest } from "./manifest.ts";
import { writeGeneration } from "./steps.ts";
import type { StoreTools } from "./tools.ts";

/** What is known of a generation before it has a name. */
export type Draft = Pick<Generation, "name" | "digest" | "revision" | "leaf"> & Pick<Manifest, "warned">;

/** What will be written, with what the manifest says of it. */
export interface ReadyFiles {
  readonly files: readonly GenerationFile[];
  readonly facts: Manifest["files"];
}

/** Makes ready what {@link stageNew} writes. */
export function makeReady(files: readonly GenerationFile[]): ReadyFiles {
  return { files, facts: describeFiles(files) };
}

/**
 * Steps 1 to 5.
 *
 * @throws KeyturnError STORE_FAILED, STORE_UNSAFE; nothing was left behind.
 */
export async function stageNew(
  { records, options }: StoreTools,
  { name, digest, revision, leaf, warned }: Draft,
  { files, facts }: ReadyFiles,
): Promise<Manifest> {
  const at = records.at(name);
  const sequence = records.of(name).lastSequence + 1;
  const id = generationId(sequence, digest);
  const now = options.clock.now().toISOString();
  const times = { stagedAt: now, changedAt: now };
  const manifest: Manifest = {
    generation: { name, id, digest, revision, state: "staged", ...times, leaf, rollback: null },
    files: facts,
    warned,
  };
  try {
    await writeGeneration(at, manifest, files, options);
  } catch (thrown) {
    throw toStoreFailure(`write generation ${id} of ${name}`, thrown, at.generations);
  }
  records.set(name, (state) => withManifest({ ...state, lastSequence: sequence }, manifest));
  return manifest;
}
