/** A generation: one version of a bundle on disk. */
import type { LeafSummary } from "./bundle.ts";
import type { Digest } from "./digest.ts";
import type { BundleName } from "./names.ts";

/** A generation's folder name: a number that only grows, then the start of the digest. */
export type GenerationId = string & { readonly __brand: "GenerationId" };

/**
 * How far a generation came. `staged`: written. `current`: the link points at it, and not every service was told.
 * `live`: every service was told and looked at; stays so when a newer one takes its place. `rolledBack`: it was
 * current, and the one before it was put back.
 */
type GenerationState = "staged" | "current" | "live" | "rolledBack";

/**
 * Who went back: keyturn by itself, because a service did not serve the new certificate; an operator; or an alert, by a
 * rule of the configuration.
 */
export type RollbackCause = "service" | "operator" | "alert";

/** How a generation was rolled back. */
export interface Rollback {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly to: GenerationId;
  readonly cause: RollbackCause;
  readonly why: string;
  /** Whether the same content does nothing when it is seen again. Other content that is live lifts it, or an operator. */
  readonly quarantined: boolean;
  /** Whether every service was told of the generation that was put back. */
  readonly finished: boolean;
}

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
  /** Null unless `state` is `rolledBack`. */
  readonly rollback: Rollback | null;
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
