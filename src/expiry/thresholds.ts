/**
 * Which warnings a certificate has come to on the way to its end. Pure.
 *
 * A threshold is a time left: each of `expiry.warnAt`, the share `expiry.warnBelow` of the lifetime, and zero.
 *
 * - The lifetime includes the last second (RFC 5280 §4.1.2.5: "through notAfter, inclusive").
 * - A time of `warnAt` applies only where a tenth of the life is over by then: it is at most nine tenths of the
 *   lifetime. So a certificate for a day, or for 30 days and the minute it was backdated, does not warn at `30d` from
 *   its birth. The share and zero apply to every certificate.
 * - A threshold is passed when less than it is left; `0s` when `notAfter` is over.
 * - Of several that were passed at once only the most urgent is told, and all count as told. A less urgent one says
 *   nothing new once a more urgent one was told.
 * - What was told too early by more than {@link TAKEN_BACK_MS} was told by a wrong clock, and will be told again. A
 *   clock that is stepped by less does not make a warning come twice.
 */
import type { LeafSummary } from "../core/bundle.ts";

/** When to warn: `expiry` of the configuration. */
export interface ExpirySettings {
  readonly warnAtMs: readonly number[];
  /** Share of the lifetime; 0 for none. */
  readonly warnBelow: number;
}

/** One warning of one certificate. */
export interface Threshold {
  /** Such as `30d` or `12h`; the share as `1/3` or `25%`; `0s` for expired. */
  readonly label: string;
  /** It is passed when less than this is left. */
  readonly leftMs: number;
}

/** What there is to tell of a certificate. */
export interface ExpiryVerdict {
  /** The most urgent threshold that was passed and not told yet; undefined for none. */
  readonly due: Threshold | undefined;
  /** Labels of all that were passed: once `due` was told they count as told. */
  readonly passed: readonly string[];
  /** Labels that stand as told before. */
  readonly told: readonly string[];
  /** Labels that a wrong clock told: they do not stand. */
  readonly takenBack: readonly string[];
}

/** Two days: a clock may be stepped by a day either way. */
export const TAKEN_BACK_MS = 2 * 86_400_000;

const LONGEST_SHARE = 0.9;
const EXPIRED: Threshold = { label: "0s", leftMs: 0 };
const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
];

/** Every threshold that applies to the certificate, the most urgent first; each label once. */
export function thresholdsOf(
  { notBefore, notAfter }: Pick<LeafSummary, "notBefore" | "notAfter">,
  { warnAtMs, warnBelow }: ExpirySettings,
): readonly Threshold[] {
  const lifetimeMs = Date.parse(notAfter) - Date.parse(notBefore) + 1_000;
  const times = warnAtMs
    .filter((leftMs) => leftMs <= lifetimeMs * LONGEST_SHARE)
    .map((leftMs) => ({ label: timeLabel(leftMs), leftMs }));
  const share = { label: shareLabel(warnBelow), leftMs: Math.round(lifetimeMs * warnBelow) };
  // Where a time and the share fall together the sort keeps this order, and the time is named.
  const all = [EXPIRED, ...times, ...(warnBelow > 0 ? [share] : [])].sort((a, b) => a.leftMs - b.leftMs);
  return all.filter(({ label }, index) => all.findIndex((other) => other.label === label) === index);
}

/** What there is to tell where this much is left, and these labels were told before. */
export function judgeExpiry(
  thresholds: readonly Threshold[],
  remainingMs: number,
  toldBefore: Iterable<string>,
): ExpiryVerdict {
  const passed = thresholds.filter(({ leftMs }) => remainingMs < leftMs);
  const isTooEarly = (label: string) =>
    thresholds.some((one) => one.label === label && remainingMs > one.leftMs + TAKEN_BACK_MS);
  const before = [...new Set(toldBefore)];
  const told = before.filter((label) => !isTooEarly(label));
  const [mostUrgent] = passed;
  const isDue = mostUrgent !== undefined && !told.includes(mostUrgent.label);
  return {
    due: isDue ? mostUrgent : undefined,
    passed: passed.map(({ label }) => label),
    told,
    takenBack: before.filter(isTooEarly),
  };
}

function timeLabel(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, unitMs]) => ms % unitMs === 0) ?? ["ms", 1];
  return `${ms / unitMs}${unit}`;
}

function shareLabel(share: number): string {
  return Math.abs(share - 1 / 3) < 1e-6 ? "1/3" : `${Number((share * 100).toFixed(2))}%`;
}
