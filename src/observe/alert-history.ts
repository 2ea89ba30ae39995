/** What alerts had done to a bundle, the newest first, each once: how it ended takes the place of that it was begun. Pure. */
import type { DaemonEvent } from "../core/events.ts";
import type { AlertStatus } from "./status.ts";

/** Actions of each bundle that are remembered. */
const MAX_ALERTS = 20;

/** With what an event tells. */
export function rememberAlert(
  alerts: readonly AlertStatus[],
  { alert, action, result, message }: Extract<DaemonEvent, { readonly type: "alert.acted" }>,
  now: Date,
): readonly AlertStatus[] {
  const newest = { alert, action, result, message, at: now.toISOString() };
  const isEnd = result === "done" || result === "nothing" || result === "failed";
  const begun = isEnd ? alerts.findIndex((one) => one.alert === alert && one.result === "begun") : -1;
  const others = begun === -1 ? alerts : alerts.toSpliced(begun, 1);
  return [newest, ...others].slice(0, MAX_ALERTS);
}

/** The alert whose action has begun and not ended; null where there is none. */
export function underWay(alerts: readonly AlertStatus[]): string | null {
  return alerts.find(({ result }) => result === "begun")?.alert ?? null;
}
