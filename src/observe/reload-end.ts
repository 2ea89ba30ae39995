/** What the end of a reload says of a bundle. Pure. */
import type { DaemonEvent } from "../core/events.ts";
import type { ReloadOutcome, ReloadReason } from "../core/outcome.ts";
import type { BundleState, PastReload, ReloadStatus } from "./status.ts";

/** Reloads of each bundle that are remembered. */
const MAX_HISTORY = 20;

/** States that say more of the newest content than the end of a reload does. */
const NEWER_THAN_A_RELOAD: readonly BundleState[] = ["waiting", "rejected", "deleted", "quarantined"];

/** How a reload ended that was not broken off. */
type Ended = Exclude<ReloadOutcome, { readonly kind: "interrupted" }>;

/** Whether every service was told of what is current after the reload. */
export function isLive(outcome: Ended): boolean {
  switch (outcome.kind) {
    case "live":
      return true;
    case "unchanged":
      return outcome.generation.state === "live";
    case "rolledBack":
      return outcome.unfinished === null;
    case "pending":
    case "failed":
      return false;
  }
}

/** The state of the newest content after the end of a reload, which may have been about older content. */
export function stateAfter(before: BundleState, reason: ReloadReason, outcome: Ended): BundleState {
  if (NEWER_THAN_A_RELOAD.includes(before)) return before;
  const isAboutOld = reason === "rolledBack" || reason === "repaired";
  if (before === "rolledBack" && isAboutOld) return before;
  switch (outcome.kind) {
    case "pending":
      return "current";
    case "live":
    case "unchanged":
      if (!isLive(outcome)) return before;
      // The way back is finished: what is live is not the newest content.
      return reason === "rolledBack" ? "rolledBack" : "live";
    case "failed":
    case "rolledBack":
      return outcome.kind;
  }
}

/** The same end again counts up, so that a service that is down for an hour does not push out all that was before. */
export function remember(
  history: readonly PastReload[],
  { reason, outcome }: Extract<DaemonEvent, { readonly type: "reload.finished" }>,
  { message, finishedAt, totalMs }: ReloadStatus,
  alert: string | null,
): readonly PastReload[] {
  const generation = "generation" in outcome ? (outcome.generation?.id ?? null) : null;
  const [last, ...older] = history;
  const isSame =
    last?.outcome === outcome.kind &&
    last.reason === reason &&
    last.generation === generation &&
    last.message === message &&
    last.alert === alert;
  const times = isSame ? last.times + 1 : 1;
  const newest = {
    outcome: outcome.kind,
    reason,
    generation,
    message,
    finishedAt,
    totalMs,
    alert,
    times,
  };
  return [newest, ...(isSame ? older : history)].slice(0, MAX_HISTORY);
}
