/** What the search of the page goes by. Pure. */
import { everyName } from "../core/alternative-names.ts";
import type { Mark } from "../observe/standing.ts";
import type { BundleStatus } from "../observe/status.ts";
import { STATE_WORDS } from "./words.ts";

/** Everything the search may find a bundle by, in lower case. */
export function findText(bundle: BundleStatus, marks: readonly Mark[]): string {
  const { name, state, generation, labels, quarantine, newest, served, problems } = bundle;
  const leaf = generation?.leaf;
  const words = [
    name,
    state,
    STATE_WORDS[state][0],
    ...marks,
    ...(leaf ? [...everyName(leaf), leaf.subject, leaf.serial] : []),
    ...(generation === null ? [] : [generation.digest, generation.id]),
    ...[quarantine?.digest, newest?.digest].filter((digest) => digest !== generation?.digest),
    ...Object.entries(labels).map((label) => label.join("=")),
    ...served.map(({ service }) => service),
    ...problems.map(({ code }) => code),
  ];
  return words.join(" ").toLowerCase().slice(0, MAX_FIND_CHARS);
}

/** Whether it is found: every word of the query is somewhere in the text. The page's script does the same. */
export function isFound(text: string, query: string): boolean {
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** A certificate may have thousands of names. */
const MAX_FIND_CHARS = 2_000;
