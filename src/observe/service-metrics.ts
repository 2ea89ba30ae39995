/** The metrics of services: whether they could be told, and why handshakes with them failed. */
import type { Registry } from "prom-client";
import type { Report } from "../core/events.ts";
import { instrumentsOf } from "./instruments.ts";

/** Names come from leaves too, and so from etcd: what is past this many is counted under one name. */
const MAX_SERVER_NAMES = 200;
const OTHER = "other";

/** Registers them and returns what keeps them. */
export function countServices(registry: Registry): Report {
  const { counter, seconds } = instrumentsOf(registry);
  const attempts = counter("keyturn_hook_attempts_total", "Attempts to tell a service.", "service", "result");
  const attemptSeconds = seconds(
    "keyturn_hook_duration_seconds",
    "Time of one attempt to tell a service.",
    "service",
  );
  const failures = counter(
    "tls_handshake_failure_total",
    "Handshakes with services that did not get what is current, by why.",
    "reason",
    "server_name",
  );
  const serverNames = new Set<string>();
  return (event) => {
    if (event.type === "hook.attempted") {
      attempts.inc({ service: event.service, result: event.result });
      attemptSeconds.observe({ service: event.service }, event.durationMs / 1000);
    }
    if (event.type === "service.looked" && event.reason !== null) {
      const { reason, serverName } = event;
      if (serverNames.size < MAX_SERVER_NAMES) serverNames.add(serverName);
      failures.inc({ reason, server_name: serverNames.has(serverName) ? serverName : OTHER });
    }
  };
}
