/** Everything worth knowing that happens in the daemon, as data: the log, the metrics and the status board read it. */
import type { AlertAction, AlertResult } from "./alert.ts";
import type { LeafSummary } from "./bundle.ts";
import type { Digest } from "./digest.ts";
import type { ErrorCode } from "./errors.ts";
import type { Generation, GenerationId, RollbackCause } from "./generation.ts";
import type { HandshakeFailure } from "./handshake.ts";
import type { Labels } from "./meta.ts";
import type { BundleName } from "./names.ts";
import type { ReloadOutcome, ReloadReason } from "./outcome.ts";
import type { Problem } from "./problem.ts";
import type { ConfiguredService } from "./service.ts";
import type { SnapshotCause } from "./snapshot.ts";

/** What an observation of one bundle in etcd led to: label values of `keyturn_events_total{result}`. */
export type ObservationResult =
  | "accepted"
  | "unchanged"
  | "waiting"
  | "rejected"
  | "quarantined"
  | "deleted"
  | "ignored"
  | "excluded";

/** How one attempt to tell a service ended: label values of `keyturn_hook_attempts_total{result}`. */
export type HookAttemptResult = "delivered" | "busy" | "refused" | "timeout" | "unreachable";

/** Why a request to the admin server was refused: label values of `keyturn_admin_refusals_total{reason}`. */
export type AdminRefusal =
  | "no_token"
  | "wrong_token"
  /** There is no token to compare with: no file is configured, or it cannot be read or is empty. */
  | "no_token_file"
  | "not_local"
  /** It was sent to a name that is not this machine's. */
  | "foreign_host"
  /** By a page of another origin. */
  | "foreign_origin";

/** Steps of a reload that take time, in milliseconds. */
interface ReloadTimings {
  readonly totalMs: number;
  readonly steps: Readonly<Record<string, number>>;
}

/** An observation of the daemon by itself. */
export type DaemonEvent =
  /** A configuration is in force; what was known of bundles and services before is void. */
  | { readonly type: "engine.started"; readonly services?: readonly ConfiguredService[] }
  | {
      readonly type: "etcd.connected";
      readonly endpoint: string;
      readonly clusterId: string;
      readonly revision: number;
    }
  | {
      readonly type: "etcd.disconnected";
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryInMs: number;
    }
  | {
      readonly type: "etcd.snapshot";
      readonly cause: SnapshotCause;
      readonly revision: number;
      readonly keys: number;
      readonly changed: number;
    }
  | { readonly type: "key.ignored"; readonly key: string; readonly why: string; readonly first: boolean }
  /** Something of a bundle changed in etcd; what comes of it follows. */
  | { readonly type: "bundle.observed"; readonly bundle: BundleName }
  | { readonly type: "bundle.excluded"; readonly bundle: BundleName }
  | { readonly type: "bundle.unchanged"; readonly bundle: BundleName; readonly digest: Digest }
  | {
      readonly type: "bundle.accepted";
      readonly bundle: BundleName;
      readonly digest: Digest;
      readonly revision: number;
      readonly leaf: LeafSummary | null;
    }
  | {
      readonly type: "bundle.waiting";
      readonly bundle: BundleName;
      readonly revision: number;
      readonly problems: readonly Problem[];
      /** False at first; true once the parts did not fit for longer than `checks.settle`. */
      readonly overdue: boolean;
    }
  | {
      readonly type: "bundle.rejected";
      readonly bundle: BundleName;
      readonly revision: number;
      readonly problems: readonly Problem[];
    }
  | {
      readonly type: "bundle.deleted";
      readonly bundle: BundleName;
      /** Whether it was taken from disk too. */
      readonly removed: boolean;
      /** Why it could not be taken from disk. */
      readonly failure: string | null;
      /** What somebody else put into its folder, and stays there. */
      readonly kept?: readonly string[];
    }
  | {
      readonly type: "bundle.labels";
      readonly bundle: BundleName;
      readonly labels: Labels;
      readonly problem: Problem | null;
    }
  | { readonly type: "bundle.recovered"; readonly generation: Generation }
  | {
      readonly type: "reload.started";
      readonly bundle: BundleName;
      readonly digest: Digest | null;
      readonly reason: ReloadReason;
    }
  | {
      readonly type: "reload.finished";
      readonly bundle: BundleName;
      readonly digest: Digest | null;
      readonly reason: ReloadReason;
      readonly outcome: ReloadOutcome;
      readonly timings: ReloadTimings;
      /** When it is tried again, where it is. */
      readonly retryInMs: number | null;
    }
  | {
      readonly type: "hook.attempted";
      readonly service: string;
      readonly bundle: BundleName;
      readonly attempt: number;
      readonly result: HookAttemptResult;
      readonly message: string;
      readonly durationMs: number;
    }
  /** The content was rolled back before: nothing is done with it. */
  | {
      readonly type: "bundle.quarantined";
      readonly bundle: BundleName;
      readonly digest: Digest;
      readonly revision: number;
      /** Why it was rolled back. */
      readonly why: string;
    }
  /** A private key came in a form that OpenSSL 3 reads only with its legacy provider; it was made PKCS#8. */
  | { readonly type: "key.legacy"; readonly bundle: BundleName; readonly where: string }
  | {
      readonly type: "rollback.started";
      readonly bundle: BundleName;
      readonly from: GenerationId;
      readonly to: GenerationId;
      readonly cause: RollbackCause;
      readonly why: string;
    }
  /** One look at what a service serves, whether at a reload or on the schedule of `verify.every`. */
  | {
      readonly type: "service.looked";
      readonly service: string;
      readonly bundle: BundleName;
      readonly serverName: string;
      readonly matches: boolean;
      /** Null where it matches. */
      readonly reason: HandshakeFailure | null;
      readonly message: string;
    }
  /** Files that are not what their manifest says. */
  | {
      readonly type: "bundle.drifted";
      readonly bundle: BundleName;
      readonly findings: readonly string[];
      /** Why they could not be put right; null where they were. */
      readonly failure: string | null;
    }
  /** The leaf that is current passed a threshold on its way to its end. */
  | {
      readonly type: "certificate.expiring";
      readonly bundle: BundleName;
      readonly generation: GenerationId;
      readonly leaf: LeafSummary;
      /** `30d`, or the share of the lifetime such as `1/3`; `0s` where it has expired. */
      readonly threshold: string;
      readonly remainingMs: number;
    }
  /**
   * What the last warning said is no longer so, or was said before this start: how near its end the leaf is now. Null
   * where no threshold is passed.
   */
  | {
      readonly type: "certificate.standing";
      readonly bundle: BundleName;
      readonly leaf: LeafSummary;
      readonly threshold: string | null;
      readonly remainingMs: number;
    }
  /** A leaf that is current, and so was found good, is not valid yet: it is the clock that is wrong. */
  | { readonly type: "clock.behind"; readonly bundle: BundleName; readonly notBefore: string }
  /** A warning could not be told, or it could not be put on disk that it was: that is tried again. */
  | {
      readonly type: "expiry.delayed";
      readonly bundle: BundleName;
      readonly message: string;
      readonly retryInMs: number;
    }
  /** A configuration that is in force now has something in it that is likely a mistake; `setting` is dotted. */
  | { readonly type: "config.warned"; readonly setting: string; readonly message: string }
  /** The child process that makes handshakes ended or hung, and another takes its place. */
  | { readonly type: "handshake.restarted"; readonly why: string }
  | { readonly type: "queue.changed"; readonly depth: number }
  /** An alert had something done to a bundle by a rule of the configuration, or would have had. */
  | {
      readonly type: "alert.acted";
      readonly alert: string;
      readonly bundle: BundleName;
      readonly action: AlertAction;
      readonly result: AlertResult;
      readonly message: string;
    }
  /** An alert came that no rule is about, that is about another node, or that had it done already. */
  | { readonly type: "alert.ignored"; readonly alert: string; readonly why: string }
  /** A request to the admin server that nobody may make, or not so. */
  | {
      readonly type: "admin.refused";
      readonly reason: AdminRefusal;
      readonly message: string;
      /** Method and path. */
      readonly request: string;
      /** The address it came from. */
      readonly from: string;
      /** How often the reason was met since it was last said, and with it; null where it was said just now. */
      readonly times: number | null;
    };

/** Takes events; never throws and never waits. */
export type Report = (event: DaemonEvent) => void;
