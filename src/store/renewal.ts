/** Repairs what is current of a bundle: in its place, or, where its folder is gone, as a new generation. */
import type { Bundle } from "../core/bundle.ts";
import { KeyturnError } from "../core/errors.ts";
import type { Generation } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import { type Drift, findDrift } from "./audit.ts";
import { currentOf, pointedAtBy } from "./bundle-state.ts";
import { clearAway } from "./durable.ts";
import { HashedFiles } from "./hashed-files.ts";
import { lookAt } from "./inspect.ts";
import { type FileName, filesOf, type GenerationFile } from "./layout.ts";
import { listFiles, type Manifest } from "./manifest.ts";
import { putRight } from "./repair.ts";
import { salvage } from "./salvage.ts";
import { makeReady, stageNew } from "./stage.ts";
import type { StoreTools } from "./tools.ts";

/** What a folder hides is seen once that is put right: the bundle's, that of its generations, that of the generation. */
const MOST_PASSES = 4;

/**
 * Puts right what an audit finds, and audits again.
 *
 * @param bundle Used where it is the content of the current generation.
 * @throws KeyturnError STORE_FAILED where something cannot be put right; everything else is.
 */
export async function repairCurrent(
  tools: StoreTools,
  name: BundleName,
  bundle: Bundle | null,
): Promise<Generation> {
  const { records, flips, options } = tools;
  let failures: readonly string[] = [];
  for (let pass = 0; ; pass++) {
    await flips.ended(name);
    const manifest = pointedAtBy(records.of(name));
    const current = currentOf(records.of(name));
    if (manifest === undefined || current === undefined) {
      throw new KeyturnError("STORE_FAILED", `nothing of ${name} is current: put the bundle again`);
    }
    const drifts = findDrift(records.at(name), manifest, options, new HashedFiles(options.clock));
    if (drifts.length === 0) return current;
    if (pass === MOST_PASSES) {
      const left = failures.length > 0 ? failures : drifts.map(({ message }) => message);
      throw new KeyturnError("STORE_FAILED", left.join("; "));
    }
    failures = await repairOnce(tools, manifest, drifts, bundle);
  }
}

async function repairOnce(
  tools: StoreTools,
  manifest: Manifest,
  drifts: readonly Drift[],
  bundle: Bundle | null,
): Promise<readonly string[]> {
  const { records, options } = tools;
  const { name, id, digest } = manifest.generation;
  const at = records.at(name);
  const others = records.of(name).generations.filter(({ generation }) => generation.id !== id);
  const given = bundle?.digest === digest ? filesOf(bundle) : [];
  const contents = salvage({ at, manifest, others, given });
  const isGone = drifts.some(({ what }) => what === "folder");
  const isLost = drifts.some((drift) => drift.what === "content" && !contents.has(drift.file));
  const files = filesFrom(manifest, contents) ?? given;
  // A version of keyturn that writes the same content otherwise cannot give the old files back, only new ones.
  if ((isGone || isLost) && files.length > 0) {
    await renew(tools, manifest, files);
    return [];
  }
  return putRight({ at, manifest, contents, permissions: options }, drifts);
}

/** All files of the manifest; undefined where one of them is lost. */
function filesFrom(
  manifest: Manifest,
  contents: ReadonlyMap<FileName, string>,
): readonly GenerationFile[] | undefined {
  const names = listFiles(manifest).map(([name]) => name);
  const files = names.flatMap((name) => {
    const content = contents.get(name);
    return content === undefined ? [] : [{ name, content }];
  });
  return files.length === names.length ? files : undefined;
}

/** Writes the content as a new generation and flips to it: a folder that is gone comes back whole, in one step. */
async function renew(tools: StoreTools, old: Manifest, files: readonly GenerationFile[]): Promise<void> {
  const { records, flips } = tools;
  const { generation, warned } = old;
  const { name, id } = generation;
  const at = records.at(name);
  for (const path of [at.folder, at.generations, at.generation(id)]) {
    // Not a folder: a link, perhaps to one of somebody else. It goes, and what it leads to stays.
    if (!lookAt(path)?.isDirectory()) clearAway(path);
  }
  const renewed = await stageNew(tools, { ...generation, warned }, makeReady(files));
  try {
    flips.flip(name, renewed);
  } catch (thrown) {
    await records.remove(name, renewed.generation.id);
    throw thrown;
  }
  await records.remove(name, id);
}
