/** What is so of the node as a whole: whether it is ready, its link to etcd, how many bundles are in which state. */
import { listSome } from "../core/words.ts";
import { marksOf, rankOf, type Standing, standingOf } from "../observe/standing.ts";
import type { EtcdStatus, Status } from "../observe/status.ts";
import { type Html, html, type Part } from "./html.ts";
import { wideTable } from "./table.ts";
import { age, count, instant, STATE_WORDS } from "./words.ts";

const REASONS_SHOWN = 8;

/** The top of the page. */
export function nodeSection(status: Status): Html {
  const { node, version, startedAt, ready, etcd, queueDepth, ignoredKeys, bundles } = status;
  const live = bundles.filter((bundle) => bundle.live).length;
  return html`
    <div class="title"><h1>${node}</h1>
      <p class="verdict ${ready ? "good" : "bad"}">${ready ? "ready" : "not ready"}</p>
      <p class="version">keyturn ${version}, running since ${instant(startedAt)}</p></div>
    ${!ready && notReady(status)}
    ${etcd.problem !== null && alarm(etcd.problem.code, etcd.problem.message)}
    <dl class="facts">
      ${link(etcd)}
      <div><dt>Revision</dt><dd>${etcd.revision}</dd></div>
      <div><dt>Last read</dt><dd>${etcd.lastSnapshotAt === null ? "not yet" : age(etcd.lastSnapshotAt)}</dd></div>
      <div><dt>Queue</dt><dd>${queueDepth === 0 ? "empty" : count(queueDepth, "reload")}</dd></div>
      <div><dt>Ignored</dt><dd>${count(ignoredKeys, "key")}</dd></div>
      <div><dt>Live</dt><dd>${live.toLocaleString("en")} of ${count(bundles.length, "bundle")}</dd></div>
    </dl>`;
}

/** For the title of the window: what is wrong can be read off a tab. */
export function titleOf({ node, ready, notReady }: Status): string {
  return `${ready ? "ready" : `not ready (${notReady.length})`} – ${node} – keyturn`;
}

function notReady({ notReady }: Status): Html {
  const more = notReady.length - REASONS_SHOWN;
  return html`<div class="alarm"><h2>Why it is not ready</h2><ul>
    ${notReady.slice(0, REASONS_SHOWN).map((reason) => html`<li>${reason}</li>`)}
    ${more > 0 && html`<li>and ${more} more</li>`}</ul></div>`;
}

function alarm(code: string, message: string): Html {
  return html`<div class="alarm"><h2>No link to etcd</h2><p><code>${code}</code> ${message}</p>
    <p>What is live stays. The link is tried again all the time.</p></div>`;
}

function link({ connected, endpoint }: EtcdStatus): Html {
  const words = connected ? "connected" : "no link";
  return html`<div><dt>etcd</dt><dd><span class="${connected ? "good" : "bad"}">${words}</span>
    ${endpoint !== null && html`<code>${endpoint}</code>`}</dd></div>`;
}

/** How many bundles are in which state, the worst first; each finds them. */
export function countList({ bundles }: Status, now: Date): Html {
  if (bundles.length === 0) return html`<p>No bundle is known yet: put one into etcd.</p>`;
  const counts = new Map<string, { standing: Standing; amount: number }>();
  const add = (word: string, standing: Standing) => {
    const known = counts.get(word) ?? { standing, amount: 0 };
    counts.set(word, { standing: worseOf(known.standing, standing), amount: known.amount + 1 });
  };
  for (const bundle of bundles) {
    const marks = marksOf(bundle, now);
    const standing = standingOf(bundle, marks);
    add(STATE_WORDS[bundle.state][0], standingOf(bundle, []));
    for (const mark of marks) add(mark, standing);
  }
  const sorted = [...counts].sort(([, a], [, b]) => rankOf(a.standing) - rankOf(b.standing));
  return html`<ul>${sorted.map(
    ([word, { standing, amount }]) => html`<li><a class="${standing}" href="/?q=${encodeURIComponent(word)}"
      data-query="${word}"><b>${amount.toLocaleString("en")}</b> ${word}</a></li>`,
  )}</ul>`;
}

function worseOf(a: Standing, b: Standing): Standing {
  return rankOf(a) < rankOf(b) ? a : b;
}

/** Every service, whether it was told of something or not. */
export function serviceTable({ services, configured }: Status): Part {
  const names = new Set(configured.map(({ name }) => name));
  const rows = [
    ...configured.map((one) => ({ ...one, last: services.find(({ name }) => name === one.name) })),
    ...services
      .filter(({ name }) => !names.has(name))
      .map((last) => ({ name: last.name, stage: "", bundles: [], notify: "", verify: [], last })),
  ];
  if (rows.length === 0) return html`<p>No service is configured.</p>`;
  const heads = ["Service", "Stage", "Uses", "Told by", "Looked at by", "Last told", "Answer"];
  const markup = rows.map(({ name, stage, bundles, notify, verify, last }) => {
    return html`<tr><th scope="row">${name}</th><td>${stage}</td><td>${listSome(bundles)}</td><td>${notify}</td>
      <td>${verify.length === 0 ? "nothing" : verify.join(", ")}</td>
      ${last === undefined ? html`<td>not yet</td><td></td>` : lastTold(last)}</tr>`;
  });
  return wideTable("Table of services", heads, markup);
}

function lastTold({ bundle, result, message, at }: Status["services"][number]): Html {
  return html`<td>${age(at)}, of ${bundle}</td>
    <td><span class="${result === "delivered" ? "good" : "bad"}">${result}</span> <span class="message">${message}</span></td>`;
}
