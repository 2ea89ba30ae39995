/** What the heart needs from the rooms around it; their adapters fit by shape, and `engine.ts` is where TypeScript checks it. */
import type { Bundle } from "../core/bundle.ts";
import type { Digest } from "../core/digest.ts";
import type { BundlePaths, Generation, GenerationId, RollbackCause } from "../core/generation.ts";
import type { Contents } from "../core/material.ts";
import type { BundleName } from "../core/names.ts";
import type { Problem } from "../core/problem.ts";
import type { Notice, ServiceAnswer } from "../core/service.ts";

/** Proves a bundle good, or names everything that is wrong with it. */
export type Examine = (
  contents: Contents,
  signal: AbortSignal,
) => Promise<
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly problems: readonly Problem[] }
>;

/** Reads a bundle that was proven good before: content that is live may have grown too old to be proven again. */
export type Read = (contents: Contents, signal: AbortSignal) => Promise<Bundle | null>;

/** One thing on disk that is not as it was written. */
export interface Finding {
  /** What is wrong, with the path, for a person. */
  readonly message: string;
  /** Whether a service may have read something wrong, or nothing at all: it then has to be told again. */
  readonly misleads: boolean;
}

/** Generations on disk. Every method throws KeyturnError and then has changed nothing that is live. */
export interface Store {
  names(): readonly BundleName[];
  current(name: BundleName): Generation | undefined;
  /** Newest generation, besides the current one, that was live and was not rolled back. */
  previous(name: BundleName): Generation | undefined;
  /** Everything that is still on disk of a bundle, oldest first. */
  history(name: BundleName): readonly Generation[];
  /** The generation of this content that was rolled back, where its quarantine was not lifted. */
  quarantined(name: BundleName, digest: Digest): Generation | undefined;
  paths(name: BundleName): BundlePaths;
  stage(bundle: Bundle): Promise<Generation>;
  activate(generation: Generation): Promise<Generation>;
  /**
   * Every service knows the current generation. Where it was put back, that rollback is finished; where it is new
   * content, every quarantine of the bundle is lifted.
   */
  recordLive(generation: Generation): Promise<Generation>;
  /**
   * Makes an earlier generation current again, and puts the current one into quarantine: that is on the medium before
   * the flip, so that a crash between the two finishes the way back.
   */
  rollBack(
    name: BundleName,
    to: GenerationId,
    how: { readonly cause: RollbackCause; readonly why: string },
  ): Promise<{ readonly from: Generation; readonly current: Generation }>;
  /** Lifts every quarantine of the bundle but that of `except`. */
  liftQuarantine(name: BundleName, except: Digest | null): Promise<void>;
  prune(name: BundleName): Promise<void>;
  /** Gives the names of what is not keyturn's in the bundle's folder, and stays. */
  remove(name: BundleName): Promise<readonly string[]>;
}

/** Everything of a bundle that is on disk, as it was written. */
export interface Upkeep {
  /**
   * Before a round of audits: has the output folder again where it was removed.
   *
   * @throws KeyturnError STORE_LOCKED where another keyturn works in it now.
   */
  holdFolder(): Promise<void>;
  /** Compares what is current with what was written. Changes nothing. */
  audit(name: BundleName): Promise<readonly Finding[]>;
  /**
   * Puts right what an audit found, and looks again to be sure. `bundle` is the content of the current generation
   * where it is at hand; without it only what can be told from other files is put right.
   */
  repair(name: BundleName, bundle: Bundle | null): Promise<Generation>;
}

/** A local service that uses bundles. */
export interface Service {
  readonly name: string;
  /** Services of a lower stage are told first; those of one stage side by side. */
  readonly stage: number;
  uses(bundle: BundleName): boolean;
  /** Tells the service, with its own retries; rejects with the signal's reason when that is aborted between them. */
  notify(notice: Notice, signal: AbortSignal): Promise<ServiceAnswer>;
  /** Looks until the service serves the generation, or for as long as it may take; null where it has no probes. */
  readonly verify: ((generation: Generation, signal: AbortSignal) => Promise<ServiceAnswer>) | null;
  /** One look, now; null where it has no probes. */
  readonly serves: ((generation: Generation, signal: AbortSignal) => Promise<boolean>) | null;
}
