/** The status of a node for a person: what is broken first, and what to do about it. Facts in, lines out. */
import { everyName } from "../core/alternative-names.ts";
import { listSome } from "../core/words.ts";
import { worstFirst } from "../observe/standing.ts";
import type { BundleStatus, Status } from "../observe/status.ts";
import { colourOf, noteLines, notesOf } from "./attention.ts";
import { facts, joinBlocks } from "./lines.ts";
import type { Screen } from "./screen.ts";
import { type Cell, plain, table } from "./table.ts";
import { absolute, both, left, leftColour, relative } from "./times.ts";

/** The lines. */
export function describeStatus(status: Status, now: Date, screen: Screen): string[] {
  const bundles = worstFirst(status.bundles, now);
  return joinBlocks([
    headOf(status, now, screen),
    ...attentionTo(bundles, now, screen),
    bundles.length === 0 ? ["no bundles yet: nothing under the prefix that this node takes"] : [],
    bundles.length === 0 ? [] : bundleTable(bundles, now, screen),
    serviceTable(status, now, screen),
  ]);
}

/** Each service with each bundle it was told of, or seen with. */
export function serviceTable(
  { services, bundles }: Pick<Status, "services" | "bundles">,
  now: Date,
  screen: Screen,
): string[] {
  const rows = pairsOf(services, bundles).map(({ service, bundle, look, told }): Cell[] => {
    const toldColour = told?.result === "delivered" ? "good" : "warning";
    return [
      service,
      bundle,
      look === undefined ? "-" : servesCell(look),
      told === undefined ? "-" : { text: told.result, colour: toldColour },
      told === undefined ? "-" : relative(told.at, now),
      told === undefined ? "-" : absolute(told.at),
    ];
  });
  if (rows.length === 0) return [];
  const columns = [
    { head: "SERVICE", least: 8 },
    { head: "BUNDLE", least: 8 },
    { head: "SERVES IT" },
    { head: "LAST HOOK" },
    { head: "TOLD" },
    { head: "AT", isSpare: true },
  ];
  return table(columns, rows, screen);
}

interface Pair {
  readonly service: string;
  readonly bundle: string;
  readonly look?: BundleStatus["served"][number];
  readonly told?: Status["services"][number];
}

function pairsOf(services: Status["services"], bundles: Status["bundles"]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { name: bundle, served } of bundles) {
    for (const look of served) {
      pairs.set(JSON.stringify([look.service, bundle]), { service: look.service, bundle, look });
    }
  }
  for (const told of services) {
    const { name: service, bundle } = told;
    const key = JSON.stringify([service, bundle]);
    pairs.set(key, { service, bundle, ...pairs.get(key), told });
  }
  return [...pairs.values()];
}

function servesCell({ matches, reason }: BundleStatus["served"][number]): Cell {
  return matches ? { text: "yes", colour: "good" } : { text: `no: ${reason}`, colour: "bad" };
}

function headOf(status: Status, now: Date, screen: Screen): string[] {
  const { node, version, ready, notReady, startedAt, etcd, queueDepth, ignoredKeys } = status;
  const { style } = screen;
  const answer = ready ? style.paint("good", "ready") : style.paint("bad", "not ready");
  const name = style.paint("strong", plain(node));
  const read = etcd.lastSnapshotAt === null ? "not read yet" : `read ${both(etcd.lastSnapshotAt, now)}`;
  const link = etcd.connected
    ? `connected to ${etcd.endpoint}, revision ${etcd.revision}, ${read}`
    : `not connected: ${etcd.problem?.message ?? "not yet"}; revision ${etcd.revision}, ${read}`;
  return [
    `${name}: keyturn ${plain(version)}, ${answer}`,
    ...facts(
      [
        ["because", listSome(notReady, "; ", 3), "bad"],
        ["started", both(startedAt, now)],
        ["etcd", link, etcd.connected ? null : "bad"],
        ["waiting", queueDepth === 0 ? "" : `${queueDepth} reloads in the queue`],
        ["ignored", ignoredKeys === 0 ? "" : `${ignoredKeys} keys that are no bundle's; the log says which`],
      ],
      screen,
    ),
  ];
}

function attentionTo(bundles: readonly BundleStatus[], now: Date, screen: Screen): string[][] {
  const noted = bundles
    .map((bundle) => ({ bundle, notes: notesOf(bundle, now) }))
    .filter(({ notes }) => notes.length > 0);
  if (noted.length === 0) return [];
  const head = screen.style.paint("strong", `${noted.length} of ${bundles.length} bundles to look at`);
  const lines = noted.flatMap(({ bundle, notes }) => [
    `  ${screen.style.paint(colourOf(bundle, now), plain(`${bundle.name}: ${stateOf(bundle)}`))}`,
    ...noteLines(notes, "    ", screen),
  ]);
  return [[head, ...lines]];
}

function bundleTable(bundles: readonly BundleStatus[], now: Date, screen: Screen): string[] {
  const columns = [
    { head: "BUNDLE", least: 12 },
    { head: "STATE" },
    { head: "LEFT" },
    { head: "GENERATION" },
    { head: "REVISION", isSpare: true },
    { head: "SINCE" },
    { head: "AT", isSpare: true },
    { head: "NAMES", least: 12 },
  ];
  return table(
    columns,
    bundles.map((bundle) => bundleRow(bundle, now)),
    screen,
  );
}

function bundleRow(bundle: BundleStatus, now: Date): Cell[] {
  const { name, generation } = bundle;
  const leaf = generation?.leaf;
  return [
    name,
    { text: stateOf(bundle), colour: colourOf(bundle, now) },
    leaf
      ? { text: left(leaf.notAfter, now), colour: leftColour(leaf.notAfter, bundle.expiring !== null, now) }
      : "-",
    generation?.id ?? "-",
    String(generation?.revision ?? "-"),
    generation ? relative(generation.changedAt, now) : "-",
    generation ? absolute(generation.changedAt) : "-",
    leaf ? everyName(leaf).join(",") : "-",
  ];
}

/** Of its newest content. */
export function stateOf({ state, overdue }: BundleStatus): string {
  return overdue ? `${state} (overdue)` : state;
}
