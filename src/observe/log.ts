/** The log: one line for each event worth one, with stable messages and fields. */
import { type DestinationStream, type Logger, pino } from "pino";
import { PinoPretty } from "pino-pretty";
import type { Report } from "../core/events.ts";
import { visible } from "../core/words.ts";
import { lineOf } from "./lines.ts";

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
  return pino(isText ? { ...options, formatters: { log: visibleFields } } : options, stream);
}

/** JSON escapes what a terminal would obey, but not all of it; and what people read is no JSON any more. */
function visibleFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, visibleIn(value)]));
}

/** Errors and secrets have ways of their own to be shown. */
function visibleIn(value: unknown): unknown {
  if (typeof value === "string") return visible(value);
  if (Array.isArray(value)) return value.map(visibleIn);
  const isPlain =
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? visibleFields(value) : value;
}

/** Writes events to the log. */
export function logEvents(log: Logger): Report {
  return (event) => {
    const line = lineOf(event);
    if (line === null) return;
    const [level, message, fields] = line;
    log[level]({ event: event.type, ...fields }, message);
  };
}
