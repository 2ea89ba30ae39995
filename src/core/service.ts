/** What passes between a reload and the services that use the bundle. */
import type { BundlePaths, Generation } from "./generation.ts";
import type { ReloadReason } from "./outcome.ts";

/** What a service is told. */
export interface Notice {
  readonly generation: Generation;
  readonly paths: BundlePaths;
  readonly reason: ReloadReason;
}

/** What the configuration says of a service, as far as people may see it: addresses may hold a password. */
export interface ConfiguredService {
  readonly name: string;
  readonly stage: number;
  /** Names and patterns of the bundles it uses. */
  readonly bundles: readonly string[];
  /** How it is told: `http`, `exec`, `signal`, `haproxy` or `none`. */
  readonly notify: string;
  /** How it is looked at: `tls`, `http`, both or neither. */
  readonly verify: readonly string[];
}

/**
 * What became of asking something of a service.
 *
 * `unreachable`: it is not running, and will read the new files when it starts. `busy`: it is there, and could not do
 * it now; nothing says that it will not. `failed`: it refused, died over it, or serves something else.
 */
export type ServiceAnswer =
  | { readonly kind: "done" }
  | { readonly kind: "unreachable" | "busy" | "failed"; readonly message: string };
