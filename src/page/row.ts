/** A bundle as one row of the page: what is looked for first. Its details open below it. */
import { everyName } from "../core/alternative-names.ts";
import { shortDigest } from "../core/digest.ts";
import type { Labels } from "../core/meta.ts";
import { listSome } from "../core/words.ts";
import { type Mark, marksOf, type Standing, standingOf } from "../observe/standing.ts";
import type { BundleStatus } from "../observe/status.ts";
import { type Html, html, type Part } from "./html.ts";
import { findText } from "./search.ts";
import { timeLeft } from "./time-left.ts";
import { troublesOf } from "./trouble.ts";
import { age, count, STATE_WORDS } from "./words.ts";

/** A bundle, and what is so of it at a moment. */
export interface Sight {
  readonly bundle: BundleStatus;
  readonly now: Date;
  readonly marks: readonly Mark[];
  readonly standing: Standing;
  /** What the search finds it by. */
  readonly text: string;
}

/** Where a row is on the page. */
export interface RowPlace {
  /** Whether the search leaves it out. */
  readonly hidden: boolean;
  /** What opens below it; null where that comes when it is opened. */
  readonly details: Html | null;
}

const NAMES_SHOWN = 3;
const LABELS_SHOWN = 4;

/** Works out what is so of a bundle now. */
export function sightOf(bundle: BundleStatus, now: Date): Sight {
  const marks = marksOf(bundle, now);
  return { bundle, now, marks, standing: standingOf(bundle, marks), text: findText(bundle, marks) };
}

/** The row, with what opens below it. */
export function bundleRow(
  { bundle, now, marks, standing, text }: Sight,
  { hidden, details }: RowPlace,
): Html {
  const { name } = bundle;
  return html`<li
    id="bundle-${name}"
    data-name="${name}"
    data-state="${STATE_WORDS[bundle.state][0]}"
    class="${standing}"
    data-find="${text}"
    ${hidden && html`hidden`}
  ><details><summary>
    ${stateBadge(bundle, marks)}
    <h3>${name}</h3>
    ${names(bundle)}
    ${bundle.generation?.leaf ? timeLeft(bundle.generation.leaf, bundle.expiring, now) : noEnd(bundle)}
    ${content(bundle)}
    ${servedCount(bundle)}
    ${lastReload(bundle)}
    ${why(bundle, marks)}
  </summary>
  ${details === null ? detailsToCome(name) : html`<div class="details">${details}</div>`}
  </details></li>`;
}

function detailsToCome(name: string): Html {
  return html`<div class="details" data-later="${name}">
    <p><a href="/?q=${encodeURIComponent(name)}">Show the details of ${name}</a></p>
  </div>`;
}

function stateBadge(bundle: BundleStatus, marks: readonly Mark[]): Html {
  const { state, overdue } = bundle;
  const [word, meaning] = STATE_WORDS[state];
  return html`<span class="state"><span class="badge ${standingOf(bundle, [])}" title="${meaning}">${word}</span>
    ${overdue && html`<span class="mark">overdue</span>`}
    ${marks.map((mark) => html`<span class="mark">${mark}</span> `)}</span>`;
}

function labelList(labels: Labels): Part {
  const shown = Object.entries(labels).slice(0, LABELS_SHOWN);
  return shown.map(([label, value]) => html` <span class="label">${label}=${value}</span>`);
}

function names({ generation, labels }: BundleStatus): Html {
  const leaf = generation?.leaf;
  const all = leaf ? everyName(leaf) : [];
  return html`<span class="names">${listSome(all, ", ", NAMES_SHOWN)}${labelList(labels)}</span>`;
}

function noEnd({ generation }: BundleStatus): Html {
  return html`<span class="left none">${generation === null ? "nothing on disk" : "trust bundle"}</span>`;
}

/** What is on disk. */
function content({ generation }: BundleStatus): Html {
  if (generation === null) return html`<span class="content"></span>`;
  const { digest, id, revision } = generation;
  return html`<span class="content"><code>${shortDigest(digest)}</code>
    <span class="small">${id} <abbr title="revision of etcd">rev</abbr> ${revision}</span></span>`;
}

function servedCount({ served }: BundleStatus): Html {
  const good = served.filter(({ matches }) => matches).length;
  if (served.length === 0) return html`<span class="served none">not looked at</span>`;
  const tone = good === served.length ? "good" : "bad";
  return html`<span class="served ${tone}">${good} of ${count(served.length, "service")}</span>`;
}

function lastReload({ lastReload }: BundleStatus): Html {
  if (lastReload === null) return html`<span class="last none">no reload yet</span>`;
  return html`<span class="last">${age(lastReload.finishedAt)}</span>`;
}

/** The first thing that is wrong; the rest is below. */
function why(bundle: BundleStatus, marks: readonly Mark[]): Part {
  const [first, ...more] = troublesOf(bundle, marks);
  if (first === undefined) return null;
  return html`<span class="why"><code>${first.code}</code> ${first.message}
    ${more.length > 0 && html`<span class="more">and ${more.length} more</span>`}</span>`;
}
