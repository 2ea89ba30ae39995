/** A generation: one version of a bundle on disk. */
import type { LeafSummary } from "./bundle.ts";
import type { Digest } from "./digest.ts";
import type { BundleName } from "./names.ts";

/** A generation's folder name: a number that only grows, then the start of the digest. */
export type GenerationId = string & { readonly __brand: "GenerationId" };

/**
 * How far a generation came. `staged`: written. `current`: the link points at it, and not every service was told.
 * `live`: every service was told; stays so when a newer one takes its place.
 */
type GenerationState = "staged" | "current" | "live";

/** What a manifest says of a generation. */
export interface Generation {
  readonly name: BundleName;
  readonly id: GenerationId;
  readonly digest: Digest;
  /** Revision of etcd the content was read at. */
  readonly revision: number;
  readonly state: GenerationState;
  /** ISO 8601, UTC. */
  readonly stagedAt: string;
  /** When `state` was last written. */
  readonly changedAt: string;
  readonly leaf: LeafSummary | null;
}

/** Absolute paths a service reads a bundle from; null for what the bundle does not have. They do not change. */
export interface BundlePaths {
  readonly dir: string;
  readonly cert: string | null;
  readonly key: string | null;
  readonly combined: string | null;
  readonly ca: string | null;
  readonly crl: string | null;
}
