/** What passes between a reload and the services that use the bundle. */
import type { BundlePaths, Generation } from "./generation.ts";
import type { ReloadReason } from "./outcome.ts";

/** What a service is told. */
export interface Notice {
  readonly generation: Generation;
  readonly paths: BundlePaths;
  readonly reason: ReloadReason;
}

/**
 * What became of asking something of a service. `unreachable`: it is not running, and will read the new files when it
 * starts. `failed`: it is there, and did not do it.
 */
export type ServiceAnswer =
  | { readonly kind: "done" }
  | { readonly kind: "unreachable"; readonly message: string }
  | { readonly kind: "failed"; readonly message: string };
