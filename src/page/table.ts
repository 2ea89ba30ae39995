/** Tables: each column has a head, and one that is too wide is scrolled by itself, with the keyboard too. */
import { type Html, html } from "./html.ts";

/** A table as wide as its content. */
export function wideTable(label: string, heads: readonly string[], rows: readonly Html[]): Html {
  return html`<div class="wide" role="region" aria-label="${label}" tabindex="0">${table(heads, rows)}</div>`;
}

/** A table that fits in its place. */
export function table(heads: readonly string[], rows: readonly Html[]): Html {
  return html`<table>
    <thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
    <tbody>${rows}</tbody></table>`;
}
