/** What of a bundle needs somebody's eye, how badly, and what to do about it. Pure. */
import { hasExpired } from "../observe/readiness.ts";
import type { BundleStatus } from "../observe/status.ts";
import type { Colour } from "./style.ts";
import { absolute, relative } from "./times.ts";

/** How a bundle is: `bad` comes first. `aside`: nobody wants it any more. */
export type Level = "bad" | "warning" | "busy" | "aside" | "good";

/** Something to know, and what to do about it where something can be done by hand. */
export interface Note {
  readonly text: string;
  readonly hint: string | null;
}

const ORDER: readonly Level[] = ["bad", "warning", "busy", "aside", "good"];

/** The colour of each. */
export const COLOUR_OF: Readonly<Record<Level, Colour>> = {
  bad: "bad",
  warning: "warning",
  busy: "busy",
  aside: "faint",
  good: "good",
};

/** Those in the worst state first; by name among their like. */
export function worstFirst(bundles: readonly BundleStatus[], now: Date): BundleStatus[] {
  const rank = (bundle: BundleStatus) => ORDER.indexOf(levelOf(bundle, now));
  return [...bundles].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

/** How it is: by what is served, then by what became of its newest content, then by the time it has left. */
export function levelOf(bundle: BundleStatus, now: Date): Level {
  const { state, live, served, drift, expiring, overdue } = bundle;
  if (state === "deleted") return "aside";
  const isBroken = served.some(({ matches }) => !matches) || (drift !== null && drift.failure !== null);
  if (state === "failed" || isBroken || hasExpired(bundle, now)) return "bad";
  const isRefused = ["rejected", "rolledBack", "quarantined"].includes(state) || overdue;
  if (isRefused) return live ? "warning" : "bad";
  if (expiring !== null || bundle.lastReload?.outcome === "pending") return "warning";
  return state === "live" ? "good" : "busy";
}

/** What is to be known of it; nothing where it is well. */
export function notesOf(bundle: BundleStatus, now: Date): Note[] {
  const { name, served, drift } = bundle;
  const inspect = `keyturn inspect --name ${name} shows what etcd holds, and every check`;
  const problems = bundle.problems.map(({ code, message }) => `${code}: ${message}`);
  const refusals = served
    // A reload that failed over it has said so.
    .filter(({ matches, message }) => !matches && !bundle.lastReload?.message?.includes(message))
    .map(({ service, reason, message }) => `${service} does not serve it (${reason}): ${message}`);
  const isDrifted = drift !== null && drift.failure !== null;
  return [
    ...withHint(problems, inspect),
    ...withHint(quarantineOf(bundle), `put other content, or try it again: keyturn retry ${name}`),
    ...withHint(lastReloadOf(bundle, now), null),
    ...withHint(refusals, "it is told again at the next look; see what the service itself logs"),
    ...withHint(
      isDrifted
        ? [`files are not as they were written (${drift.findings.join("; ")}): ${drift.failure}`]
        : [],
      "see who else writes to output.dir, and whether it has room; they are put right at the next audit",
    ),
    ...withHint(endOf(bundle, now), `put a renewed one: keyturn put ${name} --cert FILE --key FILE`),
    ...withHint(bundle.state === "deleted" ? ["it was deleted in etcd; what was live stays"] : [], null),
  ];
}

/** The hint stands after the last: what it is about is said then. */
function withHint(texts: readonly string[], hint: string | null): Note[] {
  return texts.map((text, at) => ({ text, hint: at === texts.length - 1 ? hint : null }));
}

function quarantineOf({ quarantine }: BundleStatus): string[] {
  if (quarantine === null) return [];
  return [`${quarantine.digest.slice(0, "sha256:".length + 12)} is in quarantine: ${quarantine.why}`];
}

function lastReloadOf({ lastReload, quarantine }: BundleStatus, now: Date): string[] {
  // Why content is in quarantine was said with it.
  if (!lastReload?.message || lastReload.message === quarantine?.why) return [];
  const { outcome, message, retryAt } = lastReload;
  const isDue = retryAt !== null && Date.parse(retryAt) > now.getTime();
  const again = isDue ? `; tried again ${relative(retryAt, now)} (${absolute(retryAt)})` : "";
  return [`${outcome}: ${message}${again}`];
}

function endOf(bundle: BundleStatus, now: Date): string[] {
  const { expiring } = bundle;
  if (bundle.state === "deleted") return [];
  if (hasExpired(bundle, now) || expiring?.threshold === "0s") return ["its certificate has expired"];
  return expiring === null ? [] : [`its certificate nears its end (${expiring.threshold})`];
}
