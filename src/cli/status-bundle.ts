/** One bundle of a node for a person, with everything that is known of it. Facts in, lines out. */
import { everyName } from "../core/alternative-names.ts";
import type { BundleStatus, PastReload, Status } from "../observe/status.ts";
import { colourOf, noteLines, notesOf } from "./attention.ts";
import { facts, joinBlocks } from "./lines.ts";
import type { Screen } from "./screen.ts";
import { serviceTable, stateOf } from "./status-text.ts";
import { type Cell, plain, table } from "./table.ts";
import { absolute, both, left, leftColour, relative } from "./times.ts";

/** The lines. */
export function describeBundle(
  bundle: BundleStatus,
  services: Status["services"],
  now: Date,
  screen: Screen,
): string[] {
  const { name, history } = bundle;
  const { style } = screen;
  const state = style.paint(colourOf(bundle, now), plain(stateOf(bundle)));
  const own = services.filter((service) => service.bundle === name);
  return joinBlocks([
    [`${style.paint("strong", plain(name))}: ${state}`, ...noteLines(notesOf(bundle, now), "  ", screen)],
    facts(factsOf(bundle, now), screen).map((line) => `  ${line}`),
    serviceTable({ services: own, bundles: [bundle] }, now, screen),
    history.length === 0 ? [] : historyTable(history, now, screen),
  ]);
}

type Fact = Parameters<typeof facts>[0][number];

function factsOf(bundle: BundleStatus, now: Date): Fact[] {
  const { generation, live, labels, lastReload, rollbacks, drift } = bundle;
  if (generation === null) return [["on disk", "nothing yet"]];
  const { id, revision, state, changedAt, digest, leaf } = generation;
  const told = live ? "every service was told" : "not every service was told yet";
  const steps = Object.entries(lastReload?.steps ?? {}).map(([step, ms]) => `${step} ${ms.toFixed(0)} ms`);
  return [
    ["on disk", `${id}, revision ${revision}, ${state} since ${both(changedAt, now)}; ${told}`],
    ["digest", digest],
    ...leafFacts(leaf, bundle.expiring !== null, now),
    [
      "labels",
      Object.entries(labels)
        .map(([label, value]) => `${label}=${value}`)
        .join(", "),
    ],
    [
      "reload",
      lastReload === null
        ? ""
        : `${lastReload.outcome} in ${lastReload.totalMs.toFixed(0)} ms, ${both(lastReload.finishedAt, now)}`,
    ],
    ["steps", steps.join(", ")],
    ["way back", rollbacks === 0 ? "" : `taken ${rollbacks} times since keyturn started`],
    ["drift", drift === null ? "" : `${drift.findings.join("; ")}: ${both(drift.at, now)}`],
  ];
}

function leafFacts(
  leaf: NonNullable<BundleStatus["generation"]>["leaf"],
  isExpiring: boolean,
  now: Date,
): Fact[] {
  if (leaf === null) return [["leaf", "none: a trust bundle"]];
  const { subject, issuer, serial, keyType, fingerprint256, notBefore, notAfter } = leaf;
  const span = `${absolute(notBefore)} to ${absolute(notAfter)}`;
  return [
    ["leaf", `${subject}; serial ${serial}; ${keyType}`],
    ["names", everyName(leaf).join(", ")],
    ["issuer", issuer],
    ["sha256", fingerprint256],
    [
      "valid",
      `${span}: ${left(notAfter, now)} left`.replace("expired left", "expired"),
      leftColour(notAfter, isExpiring, now),
    ],
  ];
}

function historyTable(history: readonly PastReload[], now: Date, screen: Screen): string[] {
  const columns = [
    { head: "RELOAD" },
    { head: "AT", isSpare: true },
    { head: "OUTCOME" },
    { head: "REASON" },
    { head: "GENERATION" },
    { head: "TOOK" },
    { head: "MESSAGE", least: 24, wraps: true },
  ];
  const rows = history.map(({ finishedAt, outcome, reason, generation, totalMs, message, times }): Cell[] => [
    relative(finishedAt, now),
    absolute(finishedAt),
    { text: times > 1 ? `${outcome} (${times} times)` : outcome, colour: outcomeColour(outcome) },
    reason,
    generation ?? "-",
    `${totalMs.toFixed(0)} ms`,
    message ?? "",
  ]);
  return table(columns, rows, screen);
}

function outcomeColour(outcome: PastReload["outcome"]) {
  if (outcome === "live" || outcome === "unchanged") return "good";
  return outcome === "pending" || outcome === "interrupted" ? "warning" : "bad";
}
