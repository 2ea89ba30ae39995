/** `keyturn history NAME`: every generation that is still on disk of a bundle, and what became of it. */
import type { BundleHistory } from "../admin/options.ts";
import type { Generation, GenerationId } from "../core/generation.ts";
import { askDaemon, explainRefusal } from "./admin-client.ts";
import { parseBundleName } from "./bundle-name.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { print } from "./print.ts";
import { plain, table } from "./table.ts";

const TIMEOUT_MS = 5_000;
const HEAD = ["GENERATION", "STATE", "STAGED", "CHANGED", "EXPIRES", "DIGEST", "WHY"];

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
    explainRefusal(reply, admin, options.json);
    return 1;
  }
  const { body } = reply;
  print(options.json ? JSON.stringify(body, null, 2) : describeHistory(name, body as BundleHistory));
  return 0;
}

/** The history for a person, oldest first. */
export function describeHistory(name: string, { current, generations }: BundleHistory): string {
  if (generations.length === 0) return plain(`${name}: nothing is on disk yet`);
  return table(
    HEAD,
    generations.map((generation) => rowOf(generation, current)),
  ).join("\n");
}

function rowOf(generation: Generation, current: GenerationId | null): string[] {
  const { id, digest, stagedAt, changedAt, leaf, rollback } = generation;
  return [
    id,
    stateOf(generation, current),
    shortTime(stagedAt),
    shortTime(changedAt),
    leaf === null ? "-" : shortTime(leaf.notAfter),
    digest.slice("sha256:".length, "sha256:".length + 12),
    rollback === null ? "" : `${rollback.cause}: ${rollback.why}`,
  ];
}

/** `live` stays so when a newer one takes its place: which one is current has to be said. */
function stateOf({ id, state, rollback }: Generation, current: GenerationId | null): string {
  if (id === current) return state === "current" ? state : `${state} (current)`;
  return rollback?.quarantined ? `${state} (quarantined)` : state;
}

function shortTime(iso: string): string {
  return iso.replace(/\.\d+Z$/, "Z");
}
