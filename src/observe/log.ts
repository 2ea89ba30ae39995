/** The log: one line for each event worth one, with stable messages and fields. */
import { type DestinationStream, type Logger, pino } from "pino";
import { PinoPretty } from "pino-pretty";
import type { DaemonEvent, Report } from "../core/events.ts";
import type { OutcomeKind } from "../core/outcome.ts";

export type { Logger };

/** How to log: `log` of the configuration. */
export interface LogOptions {
  readonly level: string;
  /** `auto`: text on a terminal, JSON elsewhere. */
  readonly format: "auto" | "json" | "text";
  readonly node: string;
}

/** Makes the log, on standard output unless told otherwise. */
export function createLog({ level, format, node }: LogOptions, destination?: DestinationStream): Logger {
  const isText = format === "text" || (format === "auto" && process.stdout.isTTY);
  const text = () => PinoPretty({ ignore: "pid,hostname,node", translateTime: "SYS:HH:MM:ss.l", sync: true });
  const stream = destination ?? (isText ? text() : pino.destination({ fd: 1, sync: true }));
  const options = {
    level,
    base: { node },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(isText ? { ...options, formatters: {} } : options, stream);
}

type Level = "debug" | "info" | "warn" | "error";
type Line = readonly [level: Level, message: string, fields: object];

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
  rolledBack: "reload failed, the previous generation is back",
  interrupted: "reload was broken off",
  failed: "reload failed",
};

/** Writes events to the log. */
export function logEvents(log: Logger): Report {
  return (event) => {
    const line = lineOf(event);
    if (line === undefined) return;
    const [level, message, fields] = line;
    log[level]({ event: event.type, ...fields }, message);
  };
}

function lineOf(event: DaemonEvent): Line | undefined {
  switch (event.type) {
    case "etcd.connected":
      return ["info", "connected to etcd", omitType(event)];
    case "etcd.disconnected":
      return [event.code === "ETCD_DENIED" ? "error" : "warn", "no link to etcd", omitType(event)];
    case "etcd.snapshot":
      return [event.cause === "watch" ? "debug" : "info", "prefix was read", omitType(event)];
    case "key.ignored":
      return event.first ? ["warn", "key is ignored", { key: event.key, why: event.why }] : undefined;
    case "bundle.excluded":
      return ["debug", "bundle is not for this node", omitType(event)];
    case "bundle.unchanged":
      return ["debug", "bundle is unchanged", omitType(event)];
    case "bundle.accepted":
      return ["debug", "bundle is good", omitType(event)];
    case "bundle.waiting":
      return [
        event.overdue ? "warn" : "info",
        event.overdue ? "bundle still waits for its parts" : "bundle waits for its parts",
        omitType(event),
      ];
    case "bundle.rejected":
      return ["error", "bundle is rejected, what is live stays", omitType(event)];
    case "bundle.deleted":
      return ["warn", deletionMessage(event), omitType(event)];
    case "bundle.labels":
      return event.problem === null ? undefined : ["warn", "meta.json is not used", omitType(event)];
    case "bundle.recovered":
      return recoveryLine(event);
    case "reload.started":
      return ["debug", "reload begins", omitType(event)];
    case "reload.finished":
      return reloadLine(event);
    case "hook.attempted":
      return [event.result === "delivered" ? "debug" : "warn", "service was told", omitType(event)];
    case "engine.started":
    case "bundle.observed":
    case "queue.changed":
      return undefined;
    default:
      return undefined;
  }
}

function deletionMessage({ removed, failure }: Extract<DaemonEvent, { type: "bundle.deleted" }>): string {
  if (failure !== null) return "bundle was deleted in etcd and cannot be removed here";
  return removed
    ? "bundle was deleted in etcd and removed here"
    : "bundle is not in etcd, what is live stays";
}

function recoveryLine({ generation }: Extract<DaemonEvent, { type: "bundle.recovered" }>): Line | undefined {
  if (generation.state === "live") return undefined;
  const { name: bundle, id, digest } = generation;
  return ["warn", "an unfinished reload goes on", { bundle, generation: id, digest }];
}

function reloadLine(event: Extract<DaemonEvent, { type: "reload.finished" }>): Line {
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
    ...("message" in outcome ? { why: outcome.message } : {}),
    ...("warning" in outcome && outcome.warning !== null ? { warning: outcome.warning } : {}),
    ms: round(timings.totalMs),
    steps: Object.fromEntries(Object.entries(timings.steps).map(([step, ms]) => [step, round(ms)])),
    ...(retryInMs === null ? {} : { retryInMs }),
  };
  return [OUTCOME_LEVELS[outcome.kind], OUTCOME_MESSAGES[outcome.kind], fields];
}

function omitType({ type: _, ...fields }: DaemonEvent): object {
  return fields;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
