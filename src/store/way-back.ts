/** The way back to an earlier generation: steps 11 and 12, then the flip. Where it fails, what was current still is. */
import { KeyturnError } from "../core/errors.ts";
import type { Generation, GenerationId, RollbackCause } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import { setAccess } from "./access.ts";
import { findContentDrift } from "./audit.ts";
import { currentOf, findGeneration, pointedAtBy, startAnew, withGeneration } from "./bundle-state.ts";
import { HashedFiles } from "./hashed-files.ts";
import type { BundleFolder } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import { accessOf, folderMode } from "./steps.ts";
import type { StoreOptions, StoreTools } from "./tools.ts";

/** Who goes back, and why. */
export interface Reason {
  readonly cause: RollbackCause;
  readonly why: string;
}

/** What was given up, and what is current in its place. */
export interface RolledBack {
  readonly from: Generation;
  readonly current: Generation;
}

/** The bundle's folder, that of its generations, that of the generation, its files. */
const DEPTH = 4;

/**
 * Makes an earlier generation current again, and puts the current one into quarantine.
 *
 * @throws KeyturnError STORE_FAILED where the earlier one is not known or not whole.
 */
export async function goBack(
  tools: StoreTools,
  name: BundleName,
  to: GenerationId,
  reason: Reason,
): Promise<RolledBack> {
  const { records, flips, options } = tools;
  const given = pointedAtBy(records.of(name))?.generation;
  const target = findGeneration(records.of(name), to);
  if (given === undefined) throw failure(`nothing of ${name} is current`);
  if (target === undefined) throw failure(`there is no generation ${to} of ${name}`);
  if (given.id === to) throw failure(`generation ${to} of ${name} is the current one`);

  await makeReady(tools, name, target); // 11
  const at = options.clock.now().toISOString();
  const rollback = { at, to, ...reason, quarantined: true, finished: false };
  const decided = { ...given, state: "rolledBack", changedAt: at, rollback } as const;
  try {
    const isThere = await records.change(name, given.id, (known) => withGeneration(known, decided)); // 12
    if (!isThere)
      throw failure(`generation ${given.id} of ${name} is gone from disk; the audit writes it anew`);
    await records.change(name, to, startAnew);
    flips.flip(name, target); // 6, 7, 8
    return { from: decided, current: currentOf(records.of(name)) ?? target.generation };
  } catch (thrown) {
    await records.change(name, to, (known) => withGeneration(known, target.generation));
    await records.change(name, given.id, (known) => withGeneration(known, given));
    throw thrown;
  }
}

/** Step 11. */
async function makeReady(
  { records, options }: StoreTools,
  name: BundleName,
  target: Manifest,
): Promise<void> {
  const { id } = target.generation;
  const faults = await checkAndOpen(records.at(name), target, options);
  const damaged = new Set(records.of(name).damaged);
  if (faults.length > 0) damaged.add(id);
  else damaged.delete(id);
  records.set(name, (state) => ({ ...state, damaged }));
  if (faults.length > 0) throw failure(`generation ${id} of ${name} is not whole: ${faults.join("; ")}`);
}

/** Modes and owners first: those of a folder hide its files, and those of a file what it holds. */
async function checkAndOpen(
  at: BundleFolder,
  target: Manifest,
  options: StoreOptions,
): Promise<readonly string[]> {
  const { owner, clock } = options;
  const find = () => findContentDrift(at, target, options, new HashedFiles(clock));
  let drifts = find();
  for (let pass = 0; pass < DEPTH && drifts.length > 0; pass++) {
    for (const drift of drifts) {
      if (drift.what === "access") await setAccess(drift.path, accessOf(drift.file, options));
      if (drift.what === "folderAccess") await setAccess(drift.path, { mode: folderMode(owner), owner });
    }
    drifts = find();
  }
  // One with a second name is whole: once it is current, the audit replaces it.
  return drifts.filter(({ what }) => what !== "shared").map(({ message }) => message);
}

function failure(message: string): KeyturnError {
  return new KeyturnError("STORE_FAILED", message);
}
