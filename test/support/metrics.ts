/** The metrics as a scrape would see them. */
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import type { DaemonEvent } from "../../src/core/events.ts";
import { countEvents } from "../../src/observe/metrics.ts";

/** Reads the metrics after these events. */
export async function afterEvents(...list: readonly DaemonEvent[]) {
  const registry = new Registry();
  const report = countEvents(registry, "1.2.3");
  for (const event of list) {
    report(event);
    // A scrape between two events must not leave anything behind.
    await registry.metrics();
  }
  const page = await registry.metrics();
  assertReadable(page);
  const all = page.split("\n").flatMap(parseLine);
  const value = (name: string, labels: Readonly<Record<string, string>> = {}) => {
    const same = (found: object) => JSON.stringify(sorted(found)) === JSON.stringify(sorted(labels));
    return all.find((line) => line.name === name && same(line.labels))?.value;
  };
  const names = [...new Set(all.map(({ name }) => name))];
  const infos = () => all.filter(({ name }) => name === "keyturn_bundle_info").map(({ labels }) => labels);
  return { all, value, names, infos };
}

function parseLine(line: string): { name: string; labels: Record<string, string>; value: number }[] {
  const [, name, inside = "", value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined) return [];
  const pairs = [...inside.matchAll(/(\w+)="((?:\\.|[^"\\])*)"/g)];
  const plain = (text: string) => text.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
  const labels = Object.fromEntries(pairs.map(([, label = "", text = ""]) => [label, plain(text)]));
  return [{ name, labels, value: Number(value) }];
}

function sorted(labels: object): unknown {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}

const SAMPLE =
  /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (?:[-+]?[0-9.e+-]+|[-+]?Inf|NaN)$/;
const COMMENT = /^# (?:HELP|TYPE) [a-zA-Z_:][\w:]* [^\n]+$/;

/** Checks that a page of metrics is what Prometheus reads (text format 0.0.4), to the letter. */
export function assertReadable(page: string): void {
  assert.ok(page.endsWith("\n"));
  for (const line of page.split("\n")) {
    if (line === "" || COMMENT.test(line)) continue;
    const [, , inside = ""] = SAMPLE.exec(line) ?? assert.fail(line.slice(0, 1_000));
    const names = [...inside.matchAll(/([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"/g)].map(([, name]) => name);
    assert.equal(new Set(names).size, names.length, line.slice(0, 1_000));
  }
}
