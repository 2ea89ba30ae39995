/** What `GET /status` gives: the shape that scripts rely on. Nothing secret is in it. */
import type { AlertAction, AlertResult } from "../core/alert.ts";
import type { Digest } from "../core/digest.ts";
import type { Generation, GenerationId } from "../core/generation.ts";
import type { HandshakeFailure } from "../core/handshake.ts";
import type { Labels } from "../core/meta.ts";
import type { BundleName } from "../core/names.ts";
import type { OutcomeKind, ReloadReason } from "../core/outcome.ts";
import type { Problem } from "../core/problem.ts";
import type { ConfiguredService } from "../core/service.ts";
import type { Quarantine } from "./quarantines.ts";

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
  /** Content that was rolled back and does nothing any more; null once other content is on its way. */
  readonly quarantine: Quarantine | null;
  /** What each service was last seen to serve, by its name. */
  readonly served: readonly ServedStatus[];
  /** Ways back to an earlier generation since keyturn started. */
  readonly rollbacks: number;
  /** When files were last found not to be as they were written. */
  readonly drift: DriftStatus | null;
  /** The last threshold that the current leaf passed on its way to its end. */
  readonly expiring: ExpiringStatus | null;
  /** What came last from etcd, whatever became of it; null where nothing came but what was live already. */
  readonly newest: NewestContent | null;
  /** The last reloads since keyturn started, the newest first. */
  readonly history: readonly PastReload[];
  /** What alerts had done to it since keyturn started, or would have had, the newest first. */
  readonly alerts: readonly AlertStatus[];
}

/** What an alert had done, by a rule of the configuration. */
export interface AlertStatus {
  readonly alert: string;
  readonly action: AlertAction;
  /** `begun` until it has ended. */
  readonly result: AlertResult;
  readonly message: string;
  readonly at: string;
}

/** Content as it was seen in etcd. */
interface NewestContent {
  readonly revision: number;
  /** Null where it is not whole, or was rejected. */
  readonly digest: Digest | null;
  readonly at: string;
}

/** What a service was seen to serve. */
export interface ServedStatus {
  readonly service: string;
  /** Whether it is what was current then. */
  readonly matches: boolean;
  /** Null where it matches. */
  readonly reason: HandshakeFailure | null;
  readonly message: string;
  readonly serverName: string;
  readonly at: string;
}

/** Files that were not as they were written. */
interface DriftStatus {
  readonly at: string;
  readonly findings: readonly string[];
  /** Why they could not be put right; null where they were. */
  readonly failure: string | null;
}

/** A warning of the end of a leaf. */
export interface ExpiringStatus {
  /** Such as `7d` or `1/3`; `0s` where it has expired. */
  readonly threshold: string;
  /** As of `at`. */
  readonly remainingSeconds: number;
  readonly at: string;
}

/** A reload that ended, with those after it that ended the same. */
export interface PastReload {
  readonly outcome: OutcomeKind;
  readonly reason: ReloadReason;
  /** What was current after it, where it got that far. */
  readonly generation: GenerationId | null;
  readonly message: string | null;
  /** When the last of them ended, and how long it took. */
  readonly finishedAt: string;
  readonly totalMs: number;
  /** The alert that asked for it, by a rule of the configuration; null where none did. */
  readonly alert: string | null;
  /** How many ended the same, one after another. */
  readonly times: number;
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
  /** Every service of the configuration, told of something or not. */
  readonly configured: readonly ConfiguredService[];
}
