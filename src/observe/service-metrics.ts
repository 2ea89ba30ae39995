/** The metrics of services: whether they could be told, and why handshakes with them failed. */
import type { Registry } from "prom-client";
import type { HookAttemptResult, Report } from "../core/events.ts";
import type { HandshakeFailure } from "../core/handshake.ts";
import { instrumentsOf } from "./instruments.ts";

/** Names come from leaves too, and so from etcd: what is past this many is counted under one name. */
const MAX_SERVER_NAMES = 200;
const OTHER = "other";

/** Every value of a label: one that is missing does not compile. */
const RESULTS: Readonly<Record<HookAttemptResult, true>> = {
  delivered: true,
  busy: true,
  refused: true,
  timeout: true,
  unreachable: true,
};
const REASONS: Readonly<Record<HandshakeFailure, true>> = {
  wrong_cert: true,
  expired_cert: true,
  unknown_ca: true,
  revoked_cert: true,
  client_cert_refused: true,
  no_shared_cipher: true,
  timeout: true,
  refused: true,
  reset: true,
  protocol: true,
};

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
  const services = new Set<string>();
  const serverNames = new Set<string>();

  /** Counters begin at 0: a rise is seen from one value to the next, and the first failure would be none. */
  const beginService = (service: string) => {
    if (services.has(service)) return;
    services.add(service);
    for (const result of Object.keys(RESULTS)) attempts.inc({ service, result }, 0);
  };
  const knownName = (serverName: string): string => {
    const name = serverNames.has(serverName) || serverNames.size < MAX_SERVER_NAMES ? serverName : OTHER;
    if (!serverNames.has(name)) {
      for (const reason of Object.keys(REASONS)) failures.inc({ reason, server_name: name }, 0);
    }
    serverNames.add(name);
    return name;
  };

  return (event) => {
    if (event.type === "hook.attempted") {
      beginService(event.service);
      attempts.inc({ service: event.service, result: event.result });
      attemptSeconds.observe({ service: event.service }, event.durationMs / 1000);
    }
    if (event.type === "service.looked") {
      const { reason, serverName } = event;
      const name = knownName(serverName);
      if (reason !== null) failures.inc({ reason, server_name: name });
    }
  };
}
