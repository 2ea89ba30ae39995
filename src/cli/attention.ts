/** What of a bundle needs somebody's eye, and what to do about it. Pure. */
import { shortDigest } from "../core/digest.ts";
import { hasExpired } from "../observe/readiness.ts";
import { marksOf, type Standing, standingOf } from "../observe/standing.ts";
import type { BundleStatus } from "../observe/status.ts";
import { flow } from "./lines.ts";
import type { Screen } from "./screen.ts";
import type { Colour } from "./style.ts";
import { absolute, relative } from "./times.ts";

/** Something to know, and what to do about it where something can be done by hand. */
interface Note {
  readonly text: string;
  readonly hint: string | null;
}

/** The colour of each. */
const COLOUR_OF: Readonly<Record<Standing, Colour>> = {
  broken: "bad",
  attention: "warning",
  moving: "busy",
  well: "good",
  gone: "faint",
};

/** The colour that says how it stands. */
export function colourOf(bundle: BundleStatus, now: Date): Colour {
  return COLOUR_OF[standingOf(bundle, marksOf(bundle, now))];
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

/** Each in lines that begin with `indent`, and its hint below it. */
export function noteLines(notes: readonly Note[], indent: string, screen: Screen): string[] {
  return notes.flatMap(({ text, hint }) => [
    ...flow(indent, text, screen),
    ...(hint === null ? [] : flow(`${indent}  `, hint, screen, "faint")),
  ]);
}

/** The hint stands after the last: what it is about is said then. */
function withHint(texts: readonly string[], hint: string | null): Note[] {
  return texts.map((text, at) => ({ text, hint: at === texts.length - 1 ? hint : null }));
}

function quarantineOf({ quarantine }: BundleStatus): string[] {
  if (quarantine === null) return [];
  return [`sha256:${shortDigest(quarantine.digest)} is in quarantine: ${quarantine.why}`];
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
