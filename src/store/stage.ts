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

/**
 * Steps 1 to 5.
 *
 * @throws KeyturnError STORE_FAILED, STORE_UNSAFE; nothing was left behind.
 */
export async function stageNew(
  { records, options }: StoreTools,
  { name, digest, revision, leaf, warned }: Draft,
  files: readonly GenerationFile[],
): Promise<Manifest> {
  const sequence = records.of(name).lastSequence + 1;
  const id = generationId(sequence, digest);
  const now = options.clock.now().toISOString();
  const times = { stagedAt: now, changedAt: now };
  const manifest: Manifest = {
    generation: { name, id, digest, revision, state: "staged", ...times, leaf, rollback: null },
    files: describeFiles(files),
    warned,
  };
  try {
    await writeGeneration(records.at(name), manifest, files, options);
  } catch (thrown) {
    throw toStoreFailure(`write generation ${id} of ${name}`, thrown);
  }
  records.set(name, (state) => withManifest({ ...state, lastSequence: sequence }, manifest));
  return manifest;
}
