/** The metrics as a scrape would see them. */
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
  const all = (await registry.metrics()).split("\n").flatMap(parseLine);
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
