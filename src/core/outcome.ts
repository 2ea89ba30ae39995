/** How a reload ended. */

import type { Generation } from "./generation.ts";
import type { Problem } from "./problem.ts";

/** Answers of a reload, none of them an exception. */
export type ReloadOutcome =
  /** The digest was live already; nothing was touched. */
  | { readonly kind: "unchanged"; readonly generation: Generation }
  /** On disk, and every service was told and looked at. A warning tells of old generations that could not be removed. */
  | { readonly kind: "live"; readonly generation: Generation; readonly warning: string | null }
  /** On disk, but some services do not answer: they will be told when they do. */
  | { readonly kind: "pending"; readonly generation: Generation; readonly message: string }
  /**
   * The previous generation is current again, and `from` is in quarantine. `unfinished` says which services are not
   * reachable and will be told of it later.
   */
  | {
      readonly kind: "rolledBack";
      readonly generation: Generation;
      readonly from: Generation;
      readonly message: string;
      readonly unfinished: string | null;
    }
  /** Broken off: newer content came and is reloaded instead, or the daemon stops and goes on after its start. */
  | { readonly kind: "interrupted" }
  /** Something failed. It is tried again; where `generation` is null, what was current before still is. */
  | { readonly kind: "failed"; readonly generation: Generation | null; readonly message: string };

/** Label values of `keyturn_reloads_total{outcome}`. */
export type OutcomeKind = ReloadOutcome["kind"];

/** Why services are told (DESIGN: the `reason` of a hook). */
export type ReloadReason = "rotated" | "retried" | "rolledBack" | "repaired";

/** What trying again came to: the checks failed, or a reload ended. */
export type RetryResult =
  | { readonly kind: "rejected"; readonly problems: readonly Problem[] }
  | { readonly kind: "reloaded"; readonly outcome: ReloadOutcome };
