/** What was done with a bundle: its last reload step by step, those before it, and the generations that are on disk. */
import { shortDigest } from "../core/digest.ts";
import type { Generation, GenerationId } from "../core/generation.ts";
import type { BundleStatus, PastReload } from "../observe/status.ts";
import { type Html, html, type Part } from "./html.ts";
import { wideTable } from "./table.ts";
import { duration, instant } from "./words.ts";

/** Everything that is still on disk of a bundle. */
export interface OnDisk {
  /** What `current` points at; null where nothing is live yet. */
  readonly current: GenerationId | null;
  /** Oldest first. */
  readonly generations: readonly Generation[];
}

/** The last reload, with how long each step took. */
export function lastReloadSection({ lastReload }: BundleStatus): Part {
  if (lastReload === null) return null;
  const { outcome, finishedAt, totalMs, steps, retryAt } = lastReload;
  const longestMs = Math.max(1, ...Object.values(steps));
  return html`<section><h4>Last reload</h4>
    <p>${outcome} after ${duration(totalMs)}, ${instant(finishedAt)}
      ${retryAt !== null && html`<br>tried again ${instant(retryAt)}`}</p>
    <table class="steps"><tbody>${Object.entries(steps).map(
      ([step, ms]) => html`<tr><th scope="row">${step}</th><td class="number">${duration(ms)}</td><td>
        <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
          <rect width="${Math.round((ms / longestMs) * 100)}" height="1" /></svg></td></tr>`,
    )}</tbody></table></section>`;
}

/** Reloads since keyturn started. */
export function pastReloads({ name, history }: BundleStatus): Part {
  if (history.length === 0) return null;
  const heads = ["Ended", "Outcome", "Why", "Generation", "Took", "Message"];
  return html`<section><h4>Reloads since keyturn started</h4>
    ${wideTable(`Reloads of ${name}`, heads, history.map(pastReload))}</section>`;
}

function pastReload({ outcome, reason, generation, message, finishedAt, totalMs, times }: PastReload): Html {
  return html`<tr><td>${instant(finishedAt)}</td><td>${outcome}${times > 1 && ` (${times} times)`}</td><td>${reason}</td>
    <td><code>${generation ?? "–"}</code></td><td class="number">${duration(totalMs)}</td>
    <td><span class="message">${message}</span></td></tr>`;
}

/** What is on disk, the newest first. */
export function generationsTable(name: string, { current, generations }: OnDisk): Html {
  const heads = ["Generation", "State", "Revision", "Digest", "Valid until", "Written"];
  const rows = generations.toReversed().map(
    (one) => html`<tr><th scope="row"><code>${one.id}</code></th>
      <td>${one.state}${one.id === current && html` <span class="mark">current</span>`}${rollback(one)}</td>
      <td class="number">${one.revision}</td><td><code>${shortDigest(one.digest)}</code></td>
      <td>${one.leaf && instant(one.leaf.notAfter)}</td><td>${instant(one.stagedAt)}</td></tr>`,
  );
  return html`<section><h4>Generations on disk <a href="/bundles/${name}/history">as JSON</a></h4>
    ${wideTable(`Generations of ${name}`, heads, rows)}</section>`;
}

function rollback({ rollback }: Generation): Part {
  if (rollback === null) return null;
  return html`<br><span class="message">by ${rollback.cause}: ${rollback.why}
    ${rollback.quarantined && " (in quarantine)"}</span>`;
}
