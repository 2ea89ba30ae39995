/** The whole page. It says everything by itself; with scripts on it keeps itself up to date. */
import type { BundleName } from "../core/names.ts";
import { worstFirst } from "../observe/standing.ts";
import type { BundleStatus, Status } from "../observe/status.ts";
import { bundleDetails } from "./details.ts";
import { type Html, html } from "./html.ts";
import { countList, nodeSection, serviceTable, titleOf } from "./node.ts";
import type { OnDisk } from "./reloads.ts";
import { bundleRow, sightOf } from "./row.ts";
import { isFound } from "./search.ts";
import { instant } from "./words.ts";

/** Whether who looks at the page may change something with the token, and why not. */
export type ChangesAllowed = "withToken" | "noTokenFile" | "notLocal";

/** What the page is made of. */
export interface PageView {
  readonly status: Status;
  readonly now: Date;
  /** What is searched for; empty for nothing. */
  readonly query: string;
  /** From where on the page wants to be told of changes. */
  readonly since: string;
  readonly changes: ChangesAllowed;
  readonly onDisk: (name: BundleName) => OnDisk | undefined;
}

/** Where more are shown, the details of those that are well come when they are opened: a page has to stay small. */
export const MOST_WITH_DETAILS = 60;

/** The page as HTML. */
export function pageDocument(view: PageView): string {
  const { status, now, query, since, changes } = view;
  const rows = rowsOf(view);
  const page = html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${titleOf(status)}</title>
  <link rel="icon" href="/page/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/page/page.css">
  <script type="module" src="/page/page.js"></script>
</head>
<body data-now="${now.toISOString()}" data-since="${since}" data-version="${status.version}">
<a class="skip" href="#bundles">Go to the bundles</a>
<header>
  <p class="brand">keyturn</p>
  <p id="link" role="status">As it was at ${instant(now.toISOString())}</p>
</header>
<main>
  <section id="node" aria-label="Node">${nodeSection(status)}</section>
  <section id="bundles" aria-labelledby="bundles-title" tabindex="-1">
    <div class="bar-of-tools">
      <h2 id="bundles-title">Bundles</h2>
      <form id="search" role="search" action="/" method="get">
        <label for="query">Search</label>
        <input id="query" type="search" name="q" value="${query}" autocomplete="off" spellcheck="false"
          placeholder="name, DNS name, state, digest, label">
        <button class="no-script">Search</button>
        <output id="found" for="query">${foundWords(rows)}</output>
      </form>
    </div>
    <nav id="counts" aria-label="Bundles by state">${countList(status, now)}</nav>
    <div class="columns-head" aria-hidden="true"><span>State</span><span>Bundle</span><span>Names, labels</span>
      <span>Time left</span><span>On disk</span><span>Served</span><span>Last reload</span></div>
    <ul id="list">${rows.map(({ row }) => row)}</ul>
  </section>
  <section aria-labelledby="services-title">
    <h2 id="services-title">Services</h2><div id="services">${serviceTable(status)}</div>
  </section>
  <section id="changes" aria-labelledby="changes-title"><h2 id="changes-title">Changes</h2>${changesForm(changes)}</section>
</main>
<footer><p>The same for programs: <a href="/status">status</a>, <a href="/readyz">readiness</a>, <a href="/metrics">metrics</a></p></footer>
<p id="said" class="unseen" role="status"></p>
${changes === "withToken" && confirmDialog()}
</body>
</html>
`;
  return page.toString();
}

/** What opens below the row of one bundle. */
export function detailsOf(bundle: BundleStatus, view: Pick<PageView, "status" | "now" | "onDisk">): Html {
  return bundleDetails(bundle, view.onDisk(bundle.name), view.status.configured, view.now);
}

function rowsOf(view: PageView): readonly { readonly row: Html; readonly isFound: boolean }[] {
  const { status, now, query } = view;
  const all = worstFirst(status.bundles, now).map((bundle) => {
    const sight = sightOf(bundle, now);
    const isTrouble = ["broken", "attention"].includes(sight.standing);
    return { sight, isTrouble, isFound: isFound(sight.text, query) };
  });
  const hasRoom = all.filter((one) => one.isFound).length <= MOST_WITH_DETAILS;
  let troubles = 0;
  return all.map(({ sight, isTrouble, isFound }) => {
    const { bundle } = sight;
    const isNear = isTrouble && ++troubles <= MOST_WITH_DETAILS;
    const isWhole = (isFound && hasRoom) || isNear || bundle.name === query;
    const details = isWhole ? detailsOf(bundle, view) : null;
    return { row: bundleRow(sight, { hidden: !isFound, details }), isFound };
  });
}

function foundWords(rows: readonly { readonly isFound: boolean }[]): string {
  const found = rows.filter(({ isFound }) => isFound).length;
  return found === rows.length ? "" : `${found} of ${rows.length}`;
}

function changesForm(changes: ChangesAllowed): Html {
  if (changes === "noTokenFile") {
    return html`<p>Nothing can be changed from here: <code>admin.tokenFile</code> is not set. With it this page rolls back
      and tries again, and so do <code>keyturn rollback NAME</code> and <code>keyturn retry NAME</code>.</p>`;
  }
  if (changes === "notLocal") {
    return html`<p>Nothing can be changed from here: that is for this machine itself, over loopback. Log in to it and use
      <code>keyturn rollback NAME</code>, or forward its port and open the page at <code>127.0.0.1</code>.</p>`;
  }
  return html`<p class="no-script">The buttons of this page need scripts. Use <code>keyturn rollback NAME</code> and
      <code>keyturn retry NAME</code>.</p>
    <form id="token" class="needs-script">
      <p id="token-hint">With the token of <code>admin.tokenFile</code> the details of each bundle have buttons to roll back
        and to try again. This page forgets it when it is closed or reloaded.</p>
      <label for="token-text">Admin token</label>
      <input id="token-text" type="password" autocomplete="off" spellcheck="false" required aria-describedby="token-hint">
      <button>Use it</button>
      <p id="token-answer" role="status"></p>
    </form>
    <div class="needs-token"><p>The details of each bundle have buttons now.</p>
      <button type="button" id="forget">Forget the token</button></div>`;
}

function confirmDialog(): Html {
  return html`<dialog id="confirm" aria-labelledby="confirm-title"><form method="dialog">
    <h2 id="confirm-title">Roll back <span id="confirm-name"></span>?</h2>
    <p>An earlier generation becomes current, and services are told of it. What is current now does nothing until the
      content in etcd changes, or somebody tries it again.</p>
    <label for="confirm-to">Go back to</label>
    <select id="confirm-to"></select>
    <p class="buttons"><button value="">Cancel</button> <button value="yes" class="danger">Roll back</button></p>
  </form></dialog>`;
}
