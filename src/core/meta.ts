/** `meta.json`: labels that join a bundle with what it serves, such as the model version. */
import { messageOf } from "./errors.ts";
import type { Problem } from "./problem.ts";
import type { Entry } from "./snapshot.ts";
import { shorten } from "./words.ts";

/** Labels of a bundle: Prometheus label names to short values. */
export type Labels = Readonly<Record<string, string>>;

/** Labels, and what was wrong where there are none. A bad `meta.json` never holds a rotation up. */
export interface MetaResult {
  readonly labels: Labels;
  readonly problem: Problem | null;
}

const MAX_LABELS = 8;
const MAX_VALUE_CHARS = 128;
const LABEL_NAME = /^[a-z][a-z0-9_]{0,39}$/;
/** Labels that `keyturn_bundle_info` has of its own, and what a scrape adds. */
const RESERVED = new Set(["bundle", "digest", "generation", "job", "instance", "le", "quantile"]);

/** Reads the labels of a bundle: at most 8, names `[a-z][a-z0-9_]*` of at most 40 characters, values of 128. */
export function readMeta(entry: Entry | undefined): MetaResult {
  if (entry === undefined) return { labels: {}, problem: null };
  try {
    if (entry.value === null) throw new Error(`it holds ${entry.bytes} bytes`);
    return { labels: readLabels(JSON.parse(Buffer.from(entry.value).toString("utf8"))), problem: null };
  } catch (thrown) {
    const message = `${entry.key} is not used: ${messageOf(thrown)}`;
    return { labels: {}, problem: { code: "META_INVALID", message } };
  }
}

function readLabels(json: unknown): Labels {
  const labels = isRecord(json) ? (json.labels ?? {}) : undefined;
  if (!isRecord(labels)) throw new Error('expected {"labels": {"name": "value"}}');
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS)
    throw new Error(`it has ${entries.length} labels; the most is ${MAX_LABELS}`);
  for (const [name, value] of entries) {
    if (!LABEL_NAME.test(name) || RESERVED.has(name))
      throw new Error(`${shorten(JSON.stringify(name))} is no free label name`);
    if (typeof value !== "string" || value.length > MAX_VALUE_CHARS) {
      throw new Error(`label ${name} is not a string of at most ${MAX_VALUE_CHARS} characters`);
    }
  }
  return Object.fromEntries(entries) as Labels;
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
