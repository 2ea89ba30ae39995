/** The metric of what alerts had done. */
import type { Registry } from "prom-client";
import type { AlertAction, AlertResult } from "../core/alert.ts";
import type { Report } from "../core/events.ts";
import { instrumentsOf } from "./instruments.ts";

/** Every value of a label: one that is missing does not compile. */
const ACTIONS: Readonly<Record<AlertAction, true>> = { retry: true, rollback: true };
const RESULTS: Readonly<Record<AlertResult, true>> = {
  begun: true,
  done: true,
  nothing: true,
  failed: true,
  limited: true,
  unsuitable: true,
};

/** Registers it, begins it at 0, and returns what keeps it. */
export function countAlerts(registry: Registry): Report {
  const { counter } = instrumentsOf(registry);
  const actions = counter(
    "keyturn_alert_actions_total",
    "What alerts had done by rules of the configuration: begun, how it ended, or why it was not done.",
    "action",
    "result",
  );
  for (const action of Object.keys(ACTIONS)) {
    for (const result of Object.keys(RESULTS)) actions.inc({ action, result }, 0);
  }
  return (event) => {
    if (event.type === "alert.acted") actions.inc({ action: event.action, result: event.result });
  };
}
