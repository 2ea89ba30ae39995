/** What is known of one bundle: its manifests as they are on disk, and what follows from them. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Digest } from "../core/digest.ts";
import type { Generation, GenerationId, Rollback } from "../core/generation.ts";
import { haveSameContent } from "./layout.ts";
import type { Manifest } from "./manifest.ts";

/** A bundle as it is on disk. */
export interface BundleState {
  /** Oldest first; those with a manifest that can be read. */
  readonly generations: readonly Manifest[];
  /** Where `current` points; undefined where it points at nothing usable. */
  readonly pointedAt: GenerationId | undefined;
  /** No generation of this bundle ever had a higher number. */
  readonly lastSequence: number;
  /** Generations that could not be gone back to: their files are not whole. Known until the process ends. */
  readonly damaged: ReadonlySet<GenerationId>;
}

/** A bundle that nothing is known of. */
export const NOTHING_KNOWN: BundleState = {
  generations: [],
  pointedAt: undefined,
  lastSequence: 0,
  damaged: new Set(),
};

/** Quarantined generations that stay beyond `keep`: enough to remember the last bad contents. */
const MAX_QUARANTINED = 3;

export function findGeneration({ generations }: BundleState, id: GenerationId): Manifest | undefined {
  return generations.find(({ generation }) => generation.id === id);
}

/** The manifest of what `current` points at, as it is on disk. */
export function pointedAtBy(state: BundleState): Manifest | undefined {
  return state.pointedAt === undefined ? undefined : findGeneration(state, state.pointedAt);
}

/**
 * What `current` points at. It is `live` only where every service knows it: not while a rollback is unfinished, for
 * then some still have what was given up.
 */
export function currentOf(state: BundleState): Generation | undefined {
  const generation = pointedAtBy(state)?.generation;
  if (generation === undefined) return undefined;
  const isTold = state.generations.every(({ generation: { rollback } }) => rollback?.finished ?? true);
  return generation.state === "live" && isTold
    ? generation
    : { ...generation, state: "current", rollback: null };
}

/** Everything that is on disk, oldest first. */
export function historyOf(state: BundleState): Generation[] {
  const current = currentOf(state);
  return state.generations.map(({ generation }) => (generation.id === current?.id ? current : generation));
}

/** Where to go back to, the best first: generations of other content that were live and not rolled back, newest first. */
export function waysBackOf(state: BundleState): Manifest[] {
  const { damaged } = state;
  const current = currentOf(state);
  return state.generations
    .filter(
      ({ generation: { id, digest, state } }) =>
        state === "live" && id !== current?.id && digest !== current?.digest && !damaged.has(id),
    )
    .reverse();
}

/**
 * The newest generation of this content that is in quarantine. What is current is not, whatever its manifest says: then
 * the way back was not possible. And where nothing is current there is nothing that a bad one could spoil.
 */
export function quarantinedOf(state: BundleState, digest: Digest): Generation | undefined {
  const current = currentOf(state);
  if (current === undefined || current.digest === digest) return undefined;
  return state.generations.findLast(
    ({ generation }) => generation.digest === digest && generation.rollback?.quarantined === true,
  )?.generation;
}

/** What no longer has to be kept: neither current, nor the way back, nor in quarantine, nor one of the newest `keep`. */
export function leavingOf(state: BundleState, keep: number): Manifest[] {
  const others = state.generations.filter(({ generation }) => generation.id !== state.pointedAt);
  const [previous] = waysBackOf(state);
  const quarantined = others
    .filter(({ generation }) => generation.rollback?.quarantined)
    .slice(-MAX_QUARANTINED);
  return others
    .slice(0, Math.max(0, others.length - keep))
    .filter((manifest) => manifest !== previous && !quarantined.includes(manifest));
}

/**
 * Whether a generation brings content of its own when it becomes live. What was live before, or was put back by a
 * rollback, or is a copy of that which a repair made, does not: it says nothing about what is in quarantine.
 */
export function isNewContent({ generations }: BundleState, { id, state }: Generation): boolean {
  if (state === "live") return false;
  return !generations.some(
    ({ generation: { rollback } }) =>
      rollback !== null && (rollback.quarantined || !rollback.finished) && haveSameContent(rollback.to, id),
  );
}

/** The manifest with this generation; the same one where it says so already. */
export function withGeneration(manifest: Manifest, generation: Generation): Manifest {
  return isDeepStrictEqual(manifest.generation, generation) ? manifest : { ...manifest, generation };
}

/** The manifest with another rollback, where there was one. */
export function withRollback(manifest: Manifest, change: Partial<Rollback>): Manifest {
  const { generation } = manifest;
  const { rollback } = generation;
  if (rollback === null) return manifest;
  return withGeneration(manifest, { ...generation, rollback: { ...rollback, ...change } });
}

/** One that was rolled back, and is gone back to all the same, is as good as one that was never live. */
export function startAnew(manifest: Manifest): Manifest {
  const { generation } = manifest;
  if (generation.state !== "rolledBack") return manifest;
  return withGeneration(manifest, { ...generation, state: "staged", rollback: null });
}

/** Puts a manifest in the place of the one of the same generation, or behind all others. */
export function withManifest(state: BundleState, manifest: Manifest): BundleState {
  const { id } = manifest.generation;
  const generations =
    findGeneration(state, id) === undefined
      ? [...state.generations, manifest]
      : state.generations.map((known) => (known.generation.id === id ? manifest : known));
  return { ...state, generations };
}

export function withoutGeneration(state: BundleState, id: GenerationId): BundleState {
  const generations = state.generations.filter(({ generation }) => generation.id !== id);
  return { ...state, generations, pointedAt: state.pointedAt === id ? undefined : state.pointedAt };
}
