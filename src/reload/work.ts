/** What the queue is asked to do with a bundle. */
import type { Bundle } from "../core/bundle.ts";
import type { Digest } from "../core/digest.ts";
import type { GenerationId, RollbackCause } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";

/** Content that is to become live. */
export interface Rotation {
  readonly kind: "rotate";
  readonly name: BundleName;
  readonly digest: Digest;
  /** Null after a restart, where the generation is current already and only the services are still to be told. */
  readonly bundle: Bundle | null;
  readonly reason: "rotated" | "retried";
  /** Services that know this content already: a retry leaves them in peace. Grows as they answer. */
  readonly told: Set<string>;
  /** Services that were asked to take it: those are told on the way back. Null after a restart: nobody knows. */
  readonly asked: Set<string> | null;
}

/** The current generation, told to services that do not serve it: after a way back, or because one fell behind. */
export interface Reminder {
  readonly kind: "remind";
  readonly name: BundleName;
  readonly digest: Digest;
  readonly reason: "rolledBack" | "repaired";
  readonly told: Set<string>;
  /** Whether it is tried again where a service does not take it; else the schedule of looks has it told again. */
  readonly insists: boolean;
}

/** The way back that an operator or an alert asked for. */
export interface Return {
  readonly kind: "return";
  readonly name: BundleName;
  /** The generation to go back to; null for the newest one that was live before. */
  readonly to: GenerationId | null;
  readonly cause: Exclude<RollbackCause, "service">;
  readonly why: string;
}

/** Files of the current generation that are to be put right. */
export interface Repair {
  readonly kind: "repair";
  readonly name: BundleName;
}

/** What a reload does. */
export type Work = Rotation | Reminder | Return | Repair;

/** A bundle that is to be taken from disk. */
export interface Removal {
  readonly kind: "remove";
  readonly name: BundleName;
}

/** What a slot of the queue holds. */
export type Job = Work | Removal;
