/** Events as the daemon makes them, for what reads events. */
import type { AlertResult } from "../../src/core/alert.ts";
import type { AdminRefusal, DaemonEvent } from "../../src/core/events.ts";
import type { Generation, Rollback, RollbackCause } from "../../src/core/generation.ts";
import type { HandshakeFailure } from "../../src/core/handshake.ts";
import type { ReloadOutcome, ReloadReason } from "../../src/core/outcome.ts";
import type { Problem } from "../../src/core/problem.ts";
import type { ConfiguredService } from "../../src/core/service.ts";
import { nameOf } from "./material.ts";
import { generationOf } from "./notice.ts";

const name = nameOf("inference");

export const KEY_MISMATCH: Problem = { code: "KEY_MISMATCH", message: "the private key belongs to another" };

export const snapshot = (revision = 41, cause: "start" | "watch" | "periodic" = "start"): DaemonEvent => ({
  type: "etcd.snapshot",
  cause,
  revision,
  keys: 1,
  changed: 1,
});

export const startedWith = (...services: readonly ConfiguredService[]): DaemonEvent => ({
  type: "engine.started",
  services,
});

export const connected: DaemonEvent = {
  type: "etcd.connected",
  endpoint: "http://127.0.0.1:2379",
  clusterId: "c",
  revision: 41,
};

export const disconnected: DaemonEvent = {
  type: "etcd.disconnected",
  code: "ETCD_UNAVAILABLE",
  message: "nobody answers",
  retryInMs: 100,
};

export const accepted = (generation: Generation = generationOf()): DaemonEvent => ({
  type: "bundle.accepted",
  bundle: generation.name,
  digest: generation.digest,
  revision: generation.revision,
  leaf: generation.leaf,
});

export const waiting = (overdue: boolean): DaemonEvent => ({
  type: "bundle.waiting",
  bundle: name,
  revision: 42,
  problems: [KEY_MISMATCH],
  overdue,
});

export const rejected = (...problems: readonly Problem[]): DaemonEvent => ({
  type: "bundle.rejected",
  bundle: name,
  revision: 42,
  problems: problems.length > 0 ? problems : [KEY_MISMATCH],
});

export const deleted = (removed: boolean, failure: string | null = null): DaemonEvent => ({
  type: "bundle.deleted",
  bundle: name,
  removed,
  failure,
});

export const excluded: DaemonEvent = { type: "bundle.excluded", bundle: name };

export const unchanged = (generation: Generation = generationOf()): DaemonEvent => ({
  type: "bundle.unchanged",
  bundle: generation.name,
  digest: generation.digest,
});

export const recovered = (generation: Generation): DaemonEvent => ({ type: "bundle.recovered", generation });

export const labelled = (labels: Readonly<Record<string, string>>, bundle = "inference"): DaemonEvent => ({
  type: "bundle.labels",
  bundle: nameOf(bundle),
  labels,
  problem: null,
});

export const told = (result: "delivered" | "busy" = "delivered"): DaemonEvent => ({
  type: "hook.attempted",
  service: "vllm",
  bundle: name,
  attempt: 1,
  result,
  message: `vllm answered on http://127.0.0.1:8000/`,
  durationMs: 30,
});

export const started = (
  generation: Generation = generationOf(),
  reason: ReloadReason = "rotated",
): DaemonEvent => ({ type: "reload.started", bundle: generation.name, digest: generation.digest, reason });

export const finished = (
  outcome: ReloadOutcome,
  retryInMs: number | null = null,
  reason: ReloadReason = "rotated",
): DaemonEvent => ({
  type: "reload.finished",
  bundle: name,
  digest: generationOf().digest,
  reason,
  outcome,
  timings: { totalMs: 125.04, steps: { stage: 3, "notify.1": 100 } },
  retryInMs,
});

export const live = (generation: Generation = generationOf("inference", "live")): DaemonEvent =>
  finished({ kind: "live", warning: null, generation });

export const failed = (generation: Generation | null): DaemonEvent =>
  finished({ kind: "failed", generation, message: "vllm answered 500" }, 1_000);

/** The generation as it is after keyturn went back from it. */
export const givenUp = (from: Generation, to: Generation, change: Partial<Rollback> = {}): Generation => ({
  ...from,
  state: "rolledBack",
  rollback: {
    at: "2031-01-15T00:00:00.000Z",
    to: to.id,
    cause: "service",
    why: "vllm serves another certificate",
    quarantined: true,
    finished: true,
    ...change,
  },
});

export const goingBack = (
  from: Generation,
  to: Generation,
  cause: RollbackCause = "service",
): DaemonEvent => ({
  type: "rollback.started",
  bundle: from.name,
  from: from.id,
  to: to.id,
  cause,
  why: "vllm serves another certificate",
});

export const rolledBack = (from: Generation, to: Generation, unfinished: string | null = null): DaemonEvent =>
  finished({
    kind: "rolledBack",
    generation: to,
    from: givenUp(from, to),
    message: "vllm serves another certificate",
    unfinished,
  });

export const quarantined = (generation: Generation): DaemonEvent => ({
  type: "bundle.quarantined",
  bundle: generation.name,
  digest: generation.digest,
  revision: 43,
  why: "vllm serves another certificate",
});

export const looked = (
  reason: HandshakeFailure | null = null,
  service = "vllm",
  serverName = "inference.local",
): DaemonEvent => ({
  type: "service.looked",
  service,
  bundle: name,
  serverName,
  matches: reason === null,
  reason,
  message: `${service} was looked at`,
});

export const drifted = (failure: string | null = null): DaemonEvent => ({
  type: "bundle.drifted",
  bundle: name,
  findings: ["tls.key has 0 bytes of 241"],
  failure,
});

export const expiring = (
  remainingMs: number,
  threshold = "7d",
  generation = generationOf(),
): DaemonEvent => ({
  type: "certificate.expiring",
  bundle: generation.name,
  generation: generation.id,
  leaf: leafOf(generation),
  threshold,
  remainingMs,
});

export const standing = (threshold: string | null, generation = generationOf()): DaemonEvent => ({
  type: "certificate.standing",
  bundle: generation.name,
  leaf: leafOf(generation),
  threshold,
  remainingMs: 80 * 86_400_000,
});

export const clockBehind: DaemonEvent = {
  type: "clock.behind",
  bundle: name,
  notBefore: "2031-01-01T00:00:00.000Z",
};

export const configWarned: DaemonEvent = { type: "config.warned", setting: "admin.tokenFile", message: "x" };

export const legacyKey: DaemonEvent = { type: "key.legacy", bundle: name, where: "/certs/inference.pem" };

export const alertActed = (result: AlertResult, alert = "ModelErrors"): DaemonEvent => ({
  type: "alert.acted",
  alert,
  bundle: name,
  action: "rollback",
  result,
  message: `the alert ${alert} asked for it`,
});

export const adminRefused = (reason: AdminRefusal, times: number | null = 1): DaemonEvent => ({
  type: "admin.refused",
  reason,
  message: "the token is not the one of admin.tokenFile",
  request: "POST /-/reload",
  from: "127.0.0.1",
  times,
});

export const handshakeRestarted: DaemonEvent = { type: "handshake.restarted", why: "it ended by SIGSEGV" };

function leafOf({ leaf }: Generation) {
  if (leaf === null) throw new Error("a trust bundle does not expire");
  return leaf;
}
