/** The metric of requests to the admin server that were refused. */
import type { Registry } from "prom-client";
import type { AdminRefusal, Report } from "../core/events.ts";
import { instrumentsOf } from "./instruments.ts";

/** Every value of the label: one that is missing does not compile. */
const REASONS: Readonly<Record<AdminRefusal, true>> = {
  no_token: true,
  wrong_token: true,
  no_token_file: true,
  not_local: true,
  foreign_host: true,
  foreign_origin: true,
};

/** Registers it, begins it at 0, and returns what keeps it. */
export function countRefusals(registry: Registry): Report {
  const { counter } = instrumentsOf(registry);
  const refusals = counter(
    "keyturn_admin_refusals_total",
    "Requests to the admin server that were refused, for want of a token or as those of a web page.",
    "reason",
  );
  for (const reason of Object.keys(REASONS)) refusals.inc({ reason }, 0);
  return (event) => {
    if (event.type === "admin.refused") refusals.inc({ reason: event.reason });
  };
}
