/** What `GET /status` gives: the shape that scripts rely on. Nothing secret is in it. */
import type { Generation } from "../core/generation.ts";
import type { Labels } from "../core/meta.ts";
import type { BundleName } from "../core/names.ts";
import type { Problem } from "../core/problem.ts";

/** Where a bundle is on its way (DESIGN §2). */
export type BundleState =
  | "checking"
  | "waiting"
  | "rejected"
  | "reloading"
  | "current"
  | "live"
  | "failed"
  | "rolledBack"
  | "quarantined"
  | "deleted";

/** One bundle. `state` is that of its newest content; `live` tells what is on disk and used, whatever the newest is. */
export interface BundleStatus {
  readonly name: BundleName;
  readonly state: BundleState;
  /** What `current` points at; null where nothing was ever written. */
  readonly generation: Generation | null;
  /** Whether every service was told of `generation`. */
  readonly live: boolean;
  readonly labels: Labels;
  /** Why the newest content is not live; empty where it is. */
  readonly problems: readonly Problem[];
  /** Parts have not fitted together for longer than `checks.settle`. */
  readonly overdue: boolean;
  readonly lastReload: ReloadStatus | null;
}

/** The last reload of a bundle. */
export interface ReloadStatus {
  readonly outcome: string;
  readonly message: string | null;
  /** ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly totalMs: number;
  readonly steps: Readonly<Record<string, number>>;
  readonly retryAt: string | null;
}

/** The last attempt to tell a service. */
export interface ServiceStatus {
  readonly name: string;
  readonly bundle: BundleName;
  readonly result: string;
  readonly message: string;
  readonly at: string;
}

/** The link to etcd. */
export interface EtcdStatus {
  readonly connected: boolean;
  readonly endpoint: string | null;
  readonly clusterId: string | null;
  readonly revision: number;
  readonly lastSnapshotAt: string | null;
  /** Why there is no link. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** Everything at once: the body of `GET /status`. */
export interface Status {
  readonly node: string;
  readonly version: string;
  readonly startedAt: string;
  readonly ready: boolean;
  /** Why not; empty where it is. */
  readonly notReady: readonly string[];
  readonly etcd: EtcdStatus;
  readonly queueDepth: number;
  readonly ignoredKeys: number;
  readonly bundles: readonly BundleStatus[];
  readonly services: readonly ServiceStatus[];
}
