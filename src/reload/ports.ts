/** What the heart needs from the rooms around it; their adapters fit by shape, and `engine.ts` is where TypeScript checks it. */
import type { Bundle } from "../core/bundle.ts";
import type { BundlePaths, Generation } from "../core/generation.ts";
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

/** Generations on disk. Every method throws KeyturnError and then has changed nothing that is live. */
export interface Store {
  names(): readonly BundleName[];
  current(name: BundleName): Generation | undefined;
  paths(name: BundleName): BundlePaths;
  stage(bundle: Bundle): Promise<Generation>;
  activate(generation: Generation): Promise<Generation>;
  recordLive(generation: Generation): Promise<Generation>;
  prune(name: BundleName): Promise<void>;
  remove(name: BundleName): Promise<void>;
}

/** A local service that uses bundles. */
export interface Service {
  readonly name: string;
  /** Services of a lower stage are told first; those of one stage side by side. */
  readonly stage: number;
  uses(bundle: BundleName): boolean;
  /** Tells the service, with its own retries; rejects with the signal's reason when that is aborted between them. */
  notify(notice: Notice, signal: AbortSignal): Promise<ServiceAnswer>;
  /** Looks at what the service serves; one without probes is taken at its word. */
  verify(generation: Generation, signal: AbortSignal): Promise<ServiceAnswer>;
}
