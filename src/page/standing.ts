/** How a bundle stands: what is broken comes first. Pure. */
import { hasExpired } from "../observe/readiness.ts";
import type { BundleStatus } from "../observe/status.ts";
import { STATE_WORDS } from "./words.ts";

/**
 * `broken`: what is served is wrong, or may be. `attention`: what is live is good, and something newer, or its end, wants
 * an eye. `moving`: keyturn is at it.
 */
export type Standing = "broken" | "attention" | "moving" | "well" | "gone";

/** From the worst to the best. */
export const STANDINGS: readonly Standing[] = ["broken", "attention", "moving", "well", "gone"];

/** What is so of a bundle besides its state; also what the search finds it by. */
export type Mark = "expired" | "expiring" | "mismatch" | "drift";

/** What is so of it now. */
export function marksOf(bundle: BundleStatus, now: Date): readonly Mark[] {
  const { served, drift, expiring } = bundle;
  const isExpired = hasExpired(bundle, now);
  const marks: readonly (readonly [Mark, boolean])[] = [
    ["expired", isExpired],
    ["expiring", !isExpired && expiring !== null],
    ["mismatch", served.some(({ matches }) => !matches)],
    ["drift", drift !== null && drift.failure !== null],
  ];
  return marks.flatMap(([mark, isSo]) => (isSo ? [mark] : []));
}

/** How it stands, where these are its marks. */
export function standingOf({ state, live, overdue }: BundleStatus, marks: readonly Mark[]): Standing {
  if (marks.includes("expired") || marks.includes("drift")) return "broken";
  switch (state) {
    case "checking":
    case "reloading":
      return "moving";
    case "failed":
    case "current":
      return "broken";
    case "waiting":
      if (!overdue) return "moving";
      break;
    case "deleted":
      return "gone";
    case "live":
      break;
    case "rejected":
    case "quarantined":
    case "rolledBack":
      break;
  }
  if (!live || marks.includes("mismatch")) return "broken";
  return state !== "live" || marks.length > 0 ? "attention" : "well";
}

/** Everything the search may find a bundle by, in lower case. */
export function findText(bundle: BundleStatus, marks: readonly Mark[]): string {
  const { name, state, generation, labels, quarantine, newest, served, problems } = bundle;
  const leaf = generation?.leaf;
  const words = [
    name,
    state,
    STATE_WORDS[state][0],
    ...marks,
    ...(leaf ? [...leaf.dnsNames, ...leaf.ipAddresses, ...leaf.uris, leaf.subject, leaf.serial] : []),
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
