/** Times for a person: how long ago, when exactly, and how much is left. `now` is an argument. */
import type { Colour } from "./style.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Below this many of the next smaller unit, that one says more. */
const UNITS = [
  ["second", SECOND_MS, 90 * SECOND_MS],
  ["minute", MINUTE_MS, 90 * MINUTE_MS],
  ["hour", HOUR_MS, 48 * HOUR_MS],
  ["day", DAY_MS, Number.POSITIVE_INFINITY],
] as const;

/** `3 minutes ago`, `in 12 seconds`. */
export function relative(iso: string, now: Date): string {
  const ms = Date.parse(iso) - now.getTime();
  if (Number.isNaN(ms)) return "-";
  const text = span(Math.abs(ms));
  return ms > 0 ? `in ${text}` : `${text} ago`;
}

/** `3 minutes`. */
export function span(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, , below]) => ms < below) ?? UNITS[3];
  const count = Math.floor(ms / unitMs);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** `2026-11-25 17:43:15Z`. */
export function absolute(iso: string): string {
  return iso.replace("T", " ").replace(/\.\d+Z$/, "Z");
}

/** `3 minutes ago (2026-11-25 17:43:15Z)`. */
export function both(iso: string, now: Date): string {
  return `${relative(iso, now)} (${absolute(iso)})`;
}

/** What is left of a certificate: `30.0 d`, `5.2 h` on its last day, `expired`. */
export function left(notAfter: string, now: Date): string {
  const ms = Date.parse(notAfter) - now.getTime();
  if (ms <= 0) return "expired";
  return ms < DAY_MS ? `${(ms / HOUR_MS).toFixed(1)} h` : `${(ms / DAY_MS).toFixed(1)} d`;
}

/** What that means: nothing left, a day at most, or a threshold of `expiry` that was passed. */
export function leftColour(notAfter: string, isExpiring: boolean, now: Date): Colour {
  const ms = Date.parse(notAfter) - now.getTime();
  if (ms <= DAY_MS) return "bad";
  return isExpiring || ms <= 7 * DAY_MS ? "warning" : "good";
}
