/** How much of a certificate's life is left: as a bar, and in words. */
import type { LeafSummary } from "../core/bundle.ts";
import type { ExpiringStatus } from "../observe/status.ts";
import { type Html, html } from "./html.ts";
import { roughly } from "./words.ts";

/** The bar and the words. The page's script moves both on: it reads the two instants. */
export function timeLeft(
  { notBefore, notAfter }: LeafSummary,
  expiring: ExpiringStatus | null,
  now: Date,
): Html {
  const leftMs = Date.parse(notAfter) - now.getTime();
  const share = leftMs / (Date.parse(notAfter) - Date.parse(notBefore));
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  const tone = leftMs < 0 ? "bad" : expiring === null ? "good" : "warn";
  const words = leftMs < 0 ? `expired ${roughly(-leftMs)} ago` : `${roughly(leftMs)} left`;
  return html`<span class="left ${tone}" data-from="${notBefore}" data-until="${notAfter}">
    <span class="words">${words}</span>
    <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      <rect width="${percent}" height="1" />
    </svg></span>`;
}
