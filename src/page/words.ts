/** How the page says things: states, times and amounts. */
import type { BundleState } from "../observe/status.ts";
import { type Html, html } from "./html.ts";

/** The words for a state, and what it means. */
export const STATE_WORDS: Readonly<Record<BundleState, readonly [word: string, meaning: string]>> = {
  failed: ["failed", "a reload failed and is tried again"],
  rejected: ["rejected", "the newest content failed a check"],
  quarantined: ["quarantined", "the newest content was rolled back before, and does nothing"],
  rolledBack: ["rolled back", "a service did not take the newest content, or an operator went back"],
  waiting: ["waiting", "the parts in etcd do not fit together yet"],
  current: ["pending", "on disk, and some service could not be told yet"],
  reloading: ["reloading", "the newest content is on its way"],
  checking: ["checking", "the newest content is being checked"],
  deleted: ["deleted", "gone from etcd, and kept on disk"],
  live: ["live", "every service was told"],
};

const SECOND_MS = 1_000;
const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", SECOND_MS],
];

/** Such as `29 days`: whole units, of which there are at least two. */
export function roughly(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, unitMs]) => ms >= 2 * unitMs) ?? ["second", SECOND_MS];
  return count(Math.floor(ms / unitMs), unit);
}

/** Such as `1 key` and `2 keys`. */
export function count(amount: number, what: string): string {
  return `${amount.toLocaleString("en")} ${what}${amount === 1 ? "" : "s"}`;
}

/** Such as `3.4 ms` and `12.0 s`. */
export function duration(ms: number): string {
  if (ms >= 10 * SECOND_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  return `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** An instant in full; the page's script adds how long ago that is. */
export function instant(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace("T", " ")} UTC</time>`;
}

/** An instant in a row, where the page's script puts how long ago that is in its place. */
export function age(iso: string): Html {
  return html`<time class="age" datetime="${iso}">${iso.slice(0, 19).replace("T", " ")}</time>`;
}
