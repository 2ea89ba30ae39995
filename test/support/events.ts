/** Events as the daemon makes them, for what reads events. */
import type { DaemonEvent } from "../../src/core/events.ts";
import type { Generation } from "../../src/core/generation.ts";
import type { ReloadOutcome } from "../../src/core/outcome.ts";
import type { Problem } from "../../src/core/problem.ts";
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

export const finished = (outcome: ReloadOutcome, retryInMs: number | null = null): DaemonEvent => ({
  type: "reload.finished",
  bundle: name,
  digest: generationOf().digest,
  reason: "rotated",
  outcome,
  timings: { totalMs: 125.04, steps: { stage: 3, "notify.1": 100 } },
  retryInMs,
});

export const live = (generation: Generation = generationOf("inference", "live")): DaemonEvent =>
  finished({ kind: "live", warning: null, generation });

export const failed = (generation: Generation | null): DaemonEvent =>
  finished({ kind: "failed", generation, message: "vllm answered 500" }, 1_000);
