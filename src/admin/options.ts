/** What the admin server shows and does: the rest of the daemon, as it is seen from here. */
import type { Generation, GenerationId } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import type { ReloadOutcome } from "../core/outcome.ts";
import type { Problem } from "../core/problem.ts";

/** Everything that is still on disk of a bundle. */
export interface BundleHistory {
  /** What `current` points at; null where nothing is live yet. */
  readonly current: GenerationId | null;
  /** Oldest first. */
  readonly generations: readonly Generation[];
}

/** What trying again came to: the checks failed, or a reload ended. */
export type RetryResult =
  | { readonly kind: "rejected"; readonly problems: readonly Problem[] }
  | { readonly kind: "reloaded"; readonly outcome: ReloadOutcome };

/** What the server shows and does. */
export interface AdminOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tokenFile: () => string | undefined;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly status: () => { readonly ready: boolean; readonly notReady: readonly string[] };
  /** Undefined where there is no such bundle here. */
  readonly history: (name: BundleName) => BundleHistory | undefined;
  /** Reads the configuration again; rejects with what is wrong with it. */
  readonly reload: () => Promise<void>;
  readonly resync: () => void;
  /**
   * Goes back to an earlier generation, to the newest that was live before where `to` is undefined, and resolves when
   * every service was told or could not be. `to` is any text a client sent.
   *
   * @throws KeyturnError BUNDLE_UNKNOWN, GENERATION_UNKNOWN, NOTHING_TO_DO.
   */
  readonly rollback: (name: BundleName, to: string | undefined) => Promise<ReloadOutcome>;
  /**
   * Tries what etcd holds of the bundle again, whatever became of it before, and resolves with what it came to.
   *
   * @throws KeyturnError BUNDLE_UNKNOWN, NOTHING_TO_DO.
   */
  readonly retry: (name: BundleName) => Promise<RetryResult>;
  /** Told of trouble with connections, such as no descriptors left; the server goes on. */
  readonly onError: (thrown: unknown) => void;
}
