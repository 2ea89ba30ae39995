/** What the log says of each event: level, message and fields. Messages are stable: what differs is in the fields. */
import type { AlertResult } from "../core/alert.ts";
import type { DaemonEvent } from "../core/events.ts";
import type { OutcomeKind } from "../core/outcome.ts";

type Level = "debug" | "info" | "warn" | "error";

/** One line of the log. */
export type Line = readonly [level: Level, message: string, fields: object];

type EventOf<Type extends DaemonEvent["type"]> = Extract<DaemonEvent, { readonly type: Type }>;

/** Time left from which an expiring certificate is an error. */
const LAST_DAY_MS = 86_400_000;

const OUTCOME_LEVELS: Readonly<Record<OutcomeKind, Level>> = {
  unchanged: "debug",
  live: "info",
  pending: "warn",
  rolledBack: "error",
  interrupted: "info",
  failed: "error",
};

const OUTCOME_MESSAGES: Readonly<Record<OutcomeKind, string>> = {
  unchanged: "bundle is live already",
  live: "bundle is live",
  pending: "bundle is on disk, a service is not reachable",
  rolledBack: "bundle was rolled back, an earlier generation is current again",
  interrupted: "reload was broken off",
  failed: "reload failed",
};

const ALERT_LEVELS: Readonly<Record<AlertResult, Level>> = {
  begun: "warn",
  done: "info",
  nothing: "info",
  failed: "error",
  limited: "error",
  unsuitable: "warn",
};

const ALERT_MESSAGES: Readonly<Record<AlertResult, string>> = {
  begun: "an alert has something done to a bundle",
  done: "what an alert asked for is done",
  nothing: "an alert asked for something, there was nothing to do",
  failed: "what an alert asked for failed",
  limited: "an alert asked for something, a limit holds it back",
  unsuitable: "an alert asked for something that does not suit the bundle as it is",
};

/** The line of an event; null where it is not worth one. An event without a case does not compile. */
export function lineOf(event: DaemonEvent): Line | null {
  switch (event.type) {
    case "etcd.connected":
      return ["info", "connected to etcd", fieldsOf(event)];
    case "etcd.disconnected":
      return [event.code === "ETCD_DENIED" ? "error" : "warn", "no link to etcd", fieldsOf(event)];
    case "etcd.snapshot":
      return [event.cause === "watch" ? "debug" : "info", "prefix was read", fieldsOf(event)];
    case "key.ignored":
      return event.first ? ["warn", "key is ignored", { key: event.key, why: event.why }] : null;
    case "key.legacy":
      return [
        "warn",
        "private key is in a form that only OpenSSL's legacy provider reads, it was made PKCS#8",
        fieldsOf(event),
      ];
    case "bundle.excluded":
      return ["debug", "bundle is not for this node", fieldsOf(event)];
    case "bundle.unchanged":
      return ["debug", "bundle is unchanged", fieldsOf(event)];
    case "bundle.accepted":
      return ["debug", "bundle is good", fieldsOf(event)];
    case "bundle.waiting":
      return waitingLine(event);
    case "bundle.rejected":
      return ["error", "bundle is rejected, what is live stays", fieldsOf(event)];
    case "bundle.quarantined":
      return quarantineLine(event);
    case "bundle.deleted":
      return ["warn", deletionMessage(event), fieldsOf(event)];
    case "bundle.labels":
      return event.problem === null ? null : ["warn", "meta.json is not used", fieldsOf(event)];
    case "bundle.recovered":
      return recoveryLine(event);
    case "bundle.drifted":
      return event.failure === null
        ? ["warn", "files on disk were not as they were written, they were put right", fieldsOf(event)]
        : ["error", "files on disk are not as they were written, and cannot be put right", fieldsOf(event)];
    case "reload.started":
      return ["debug", "reload begins", fieldsOf(event)];
    case "reload.finished":
      return reloadLine(event);
    case "rollback.started":
      return ["error", "bundle goes back to an earlier generation", fieldsOf(event)];
    case "hook.attempted":
      return [event.result === "delivered" ? "debug" : "warn", "service was told", fieldsOf(event)];
    case "service.looked":
      return event.matches
        ? ["debug", "service serves what is current", fieldsOf(event)]
        : ["warn", "service does not serve what is current", fieldsOf(event)];
    case "certificate.expiring":
      return expiryLine(event);
    case "clock.behind":
      return ["error", "the clock of this node is wrong: what is live is not valid yet", fieldsOf(event)];
    case "expiry.delayed":
      return ["warn", "an expiry warning is not through yet, it is tried again", fieldsOf(event)];
    case "config.warned":
      return ["warn", "a setting is likely a mistake", fieldsOf(event)];
    case "handshake.restarted":
      return ["warn", "process that makes handshakes was started again", fieldsOf(event)];
    case "alert.acted":
      return [ALERT_LEVELS[event.result], ALERT_MESSAGES[event.result], fieldsOf(event)];
    case "alert.ignored":
      return ["debug", "an alert came that nothing is done about", fieldsOf(event)];
    case "admin.refused":
      return refusalLine(event);
    case "engine.started":
    case "bundle.observed":
    case "certificate.standing":
    case "queue.changed":
      return null;
  }
}

function refusalLine(event: EventOf<"admin.refused">): Line | null {
  return event.times === null ? null : ["warn", "a request to the admin server was refused", fieldsOf(event)];
}

function waitingLine(event: EventOf<"bundle.waiting">): Line {
  return event.overdue
    ? ["warn", "bundle still waits for its parts", fieldsOf(event)]
    : ["info", "bundle waits for its parts", fieldsOf(event)];
}

function quarantineLine(event: EventOf<"bundle.quarantined">): Line {
  const help = `put other content, or try this again: keyturn retry ${event.bundle}`;
  const message = "bundle was rolled back before and is in quarantine, what is live stays";
  return ["warn", message, { ...fieldsOf(event), help }];
}

function deletionMessage({ removed, failure, kept }: EventOf<"bundle.deleted">): string {
  if (failure !== null) return "bundle was deleted in etcd and cannot be removed here";
  if (kept !== undefined)
    return "bundle was deleted in etcd and removed here, its folder stays for what is not keyturn's";
  return removed
    ? "bundle was deleted in etcd and removed here"
    : "bundle is not in etcd, what is live stays";
}

function recoveryLine({ generation }: EventOf<"bundle.recovered">): Line | null {
  if (generation.state === "live") return null;
  const { name: bundle, id, digest } = generation;
  return ["warn", "an unfinished reload goes on", { bundle, generation: id, digest }];
}

function expiryLine({
  bundle,
  generation,
  leaf,
  threshold,
  remainingMs,
}: EventOf<"certificate.expiring">): Line {
  const { subject, serial, notAfter } = leaf;
  const remainingSeconds = Math.floor(remainingMs / 1_000);
  return [
    remainingMs <= LAST_DAY_MS ? "error" : "warn",
    remainingMs <= 0 ? "certificate has expired" : "certificate nears its end",
    { bundle, generation, subject, serial, notAfter, threshold, remainingSeconds },
  ];
}

function reloadLine(event: EventOf<"reload.finished">): Line {
  const { bundle, digest, reason, outcome, timings, retryInMs } = event;
  const generation = "generation" in outcome ? outcome.generation : null;
  const fields = {
    bundle,
    digest,
    reason,
    outcome: outcome.kind,
    generation: generation?.id,
    revision: generation?.revision,
    notAfter: generation?.leaf?.notAfter,
    ...(outcome.kind === "rolledBack" ? wayBackOf(outcome) : {}),
    ...("message" in outcome ? { why: outcome.message } : {}),
    ...("warning" in outcome && outcome.warning !== null ? { warning: outcome.warning } : {}),
    ms: round(timings.totalMs),
    steps: Object.fromEntries(Object.entries(timings.steps).map(([step, ms]) => [step, round(ms)])),
    ...(retryInMs === null ? {} : { retryInMs }),
  };
  return [OUTCOME_LEVELS[outcome.kind], OUTCOME_MESSAGES[outcome.kind], fields];
}

type RolledBack = Extract<EventOf<"reload.finished">["outcome"], { readonly kind: "rolledBack" }>;

function wayBackOf({ from, generation, unfinished }: RolledBack): object {
  return { from: from.id, to: generation.id, ...(unfinished === null ? {} : { unfinished }) };
}

function fieldsOf({ type: _, ...fields }: DaemonEvent): object {
  return fields;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
