/** `keyturn history NAME`: every generation that is still on disk of a bundle, and what became of it. */
import type { BundleHistory } from "../admin/options.ts";
import { digitsOf } from "../core/digest.ts";
import type { Generation, GenerationId } from "../core/generation.ts";
import { systemClock } from "../runtime/clock.ts";
import { askDaemon, explainRefusal } from "./admin-client.ts";
import { parseBundleName } from "./bundle-name.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { print, printJson } from "./print.ts";
import { type Screen, screen } from "./screen.ts";
import { type Cell, plain, table } from "./table.ts";
import { absolute, left, leftColour, relative } from "./times.ts";

const TIMEOUT_MS = 5_000;
const COLUMNS = [
  { head: "GENERATION" },
  { head: "STATE" },
  { head: "SINCE" },
  { head: "AT", isSpare: true },
  { head: "LEFT" },
  { head: "REVISION", isSpare: true },
  { head: "DIGEST", least: 13 },
  { head: "WHY", least: 24, wraps: true },
];

/** Exit code 0, or 1 where there is no such bundle here. */
export async function showHistory(
  text: string,
  options: ConfigOptions & { readonly json?: boolean },
): Promise<number> {
  const name = parseBundleName(text);
  const { admin } = await loadCommandConfig(options);
  const path = `/bundles/${name}/history`;
  const reply = await askDaemon(admin, { method: "GET", path, timeoutMs: TIMEOUT_MS });
  if (reply.kind === "refused") {
    await explainRefusal(reply, admin, { json: options.json, name });
    return 1;
  }
  const { body } = reply;
  if (options.json) printJson(body);
  else print(describeHistory(name, body as BundleHistory, systemClock.now(), screen()).join("\n"));
  return 0;
}

/** The history for a person, oldest first. */
export function describeHistory(
  name: string,
  { current, generations }: BundleHistory,
  now: Date,
  on: Screen,
): string[] {
  if (generations.length === 0) {
    return [plain(`${name}: nothing is on disk yet; why: keyturn status ${name}`)];
  }
  const rows = generations.map((generation) => rowOf(generation, current, now));
  return table(COLUMNS, rows, on);
}

function rowOf(generation: Generation, current: GenerationId | null, now: Date): Cell[] {
  const { id, digest, revision, changedAt, leaf, rollback } = generation;
  return [
    { text: id, colour: id === current ? "strong" : null },
    stateOf(generation, current),
    relative(changedAt, now),
    absolute(changedAt),
    leaf === null ? "-" : { text: left(leaf.notAfter, now), colour: leftColour(leaf.notAfter, false, now) },
    String(revision),
    digitsOf(digest),
    rollback === null ? "" : `${rollback.cause}: ${rollback.why}`,
  ];
}

/** `live` stays so when a newer one takes its place: which one is current has to be said. */
function stateOf({ id, state, rollback }: Generation, current: GenerationId | null): Cell {
  if (id === current) {
    if (state === "live") return { text: "live (current)", colour: "good" };
    return { text: state === "current" ? state : `${state} (current)`, colour: "busy" };
  }
  if (state === "rolledBack") {
    return { text: rollback?.quarantined ? "rolledBack (quarantined)" : state, colour: "warning" };
  }
  return { text: state, colour: state === "staged" ? "busy" : "faint" };
}
