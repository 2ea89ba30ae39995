/** Everything of a bundle that does not fit into its row. */
import { everyName } from "../core/alternative-names.ts";
import { matchesAny } from "../core/glob.ts";
import type { ConfiguredService } from "../core/service.ts";
import { listSome } from "../core/words.ts";
import { marksOf } from "../observe/standing.ts";
import type { BundleStatus, ServedStatus } from "../observe/status.ts";
import { type Html, html, type Part } from "./html.ts";
import { generationsTable, lastReloadSection, type OnDisk, pastReloads } from "./reloads.ts";
import { table } from "./table.ts";
import { troublesOf } from "./trouble.ts";
import { instant, STATE_WORDS } from "./words.ts";

const NAMES_SHOWN = 100;

/** What opens below its row. */
export function bundleDetails(
  bundle: BundleStatus,
  onDisk: OnDisk | undefined,
  configured: readonly ConfiguredService[],
  now: Date,
): Html {
  return html`
    <p class="meaning">${STATE_WORDS[bundle.state][1]}</p>
    ${troubles(bundle, now)}
    <div class="columns">
      <section><h4>On disk</h4>${facts(bundle)}</section>
      <section><h4>Served</h4>${servedTable(bundle, configured)}</section>
      ${lastReloadSection(bundle)}
    </div>
    ${onDisk !== undefined && generationsTable(bundle.name, onDisk)}
    ${pastReloads(bundle)}
    ${actions(bundle)}`;
}

function troubles(bundle: BundleStatus, now: Date): Part {
  const all = troublesOf(bundle, marksOf(bundle, now));
  if (all.length === 0) return null;
  const { newest } = bundle;
  return html`<section class="troubles"><h4>What is wrong</h4>
    ${newest !== null && html`<p>The newest content came at revision ${newest.revision}, ${instant(newest.at)}.</p>`}
    <ul class="list-of-troubles">${all.map(({ code, message }) => html`<li><code>${code}</code> <span class="message">${message}</span></li>`)}</ul>
  </section>`;
}

function facts({ generation, labels, drift, rollbacks, expiring }: BundleStatus): Html {
  const leaf = generation?.leaf ?? null;
  const pairs: readonly (readonly [string, Part])[] = [
    ...(generation === null
      ? [["Content", "nothing yet"] as const]
      : ([
          ["Digest", html`<code>${generation.digest}</code>`],
          ["Generation", html`<code>${generation.id}</code> of revision ${generation.revision}`],
          ["Written", instant(generation.stagedAt)],
        ] as const)),
    ...(leaf === null
      ? []
      : ([
          ["Subject", leaf.subject],
          ["Issuer", leaf.issuer],
          ["Names", listSome(everyName(leaf), ", ", NAMES_SHOWN)],
          ["Valid from", instant(leaf.notBefore)],
          ["Valid until", instant(leaf.notAfter)],
          ["Key", leaf.keyType],
          ["Serial", html`<code>${leaf.serial}</code>`],
          ["SHA-256", html`<code>${leaf.fingerprint256}</code>`],
        ] as const)),
    ...Object.entries(labels).map(([label, value]) => [label, value] as const),
    ...(expiring === null
      ? []
      : [["Warned", html`less than ${expiring.threshold}, ${instant(expiring.at)}`] as const]),
    ...(drift === null
      ? []
      : [
          [
            "Drift",
            html`${instant(drift.at)}: ${drift.findings.join("; ")}${drift.failure === null ? ", put right" : null}`,
          ] as const,
        ]),
    ...(rollbacks === 0 ? [] : [["Rollbacks", `${rollbacks} since keyturn started`] as const]),
  ];
  return html`<dl>${pairs.map(([what, value]) => html`<dt>${what}</dt><dd>${value}</dd>`)}</dl>`;
}

function servedTable({ name, served }: BundleStatus, configured: readonly ConfiguredService[]): Html {
  const seen = new Set(served.map(({ service }) => service));
  const unseen = configured.filter((one) => matchesAny(name, one.bundles) && !seen.has(one.name));
  if (served.length + unseen.length === 0) return html`<p>No service uses it.</p>`;
  const rows = unseen.map((one) => {
    const why = one.verify.includes("tls") ? "not looked at yet" : "is not looked at: it has no verify.tls";
    return html`<tr><th scope="row">${one.name}</th><td>${why}</td><td></td></tr>`;
  });
  return table(["Service", "What it serves", "Seen"], [...served.map(servedRow), ...rows]);
}

function servedRow({ service, matches, reason, message, serverName, at }: ServedStatus): Html {
  return html`<tr><th scope="row">${service}</th>
    <td><span class="${matches ? "good" : "bad"}">${matches ? "matches" : (reason ?? "does not match")}</span>
      ${serverName !== "" && html` as ${serverName}`}${!matches && html`<br><span class="message">${message}</span>`}</td>
    <td>${instant(at)}</td></tr>`;
}

/** Shown once the page has the token. */
function actions({ name, state, generation }: BundleStatus): Part {
  const mayRetry = state !== "live" && state !== "deleted";
  if (!mayRetry && generation === null) return null;
  return html`<div class="changes needs-token">
    ${mayRetry && html`<button type="button" data-change="retry" data-name="${name}">Try what etcd holds again</button>`}
    ${generation !== null && html`<button type="button" data-change="rollback" data-name="${name}">Roll back …</button>`}
  </div>`;
}
