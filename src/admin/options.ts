/** What the admin server shows and does: the rest of the daemon, as it is seen from here. */
import type { Report } from "../core/events.ts";
import type { BundleName } from "../core/names.ts";
import type { ReloadOutcome, RetryResult } from "../core/outcome.ts";
import type { Status } from "../observe/status.ts";
import type { OnDisk } from "../page/reloads.ts";

/** Everything that is still on disk of a bundle. */
export type BundleHistory = OnDisk;

/** What is done about each alert, or what is wrong with the request. */
type AlertsAnswer =
  | { readonly ok: true; readonly alerts: readonly object[] }
  | { readonly ok: false; readonly why: string };

/** What the server shows and does. */
export interface AdminOptions {
  /** The `node` of the configuration: a name of this machine. */
  readonly node: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly now: () => Date;
  readonly tokenFile: () => string | undefined;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly status: () => Status;
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
  /**
   * Takes what Alertmanager sent, decides what is done about each alert, and begins it: it does not wait for the end.
   * While the configuration is read again it waits for that.
   *
   * @param body Parsed JSON, of any shape.
   */
  readonly alerts: (body: unknown) => Promise<AlertsAnswer>;
  /** Told of requests that are refused. */
  readonly report: Report;
  /** Told of trouble, such as no descriptors left for connections; the server goes on. */
  readonly onError: (thrown: unknown) => void;
}
