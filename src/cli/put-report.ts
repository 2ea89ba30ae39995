/** What came of a put, as data and for a person. Nothing secret is in it. */
import { everyName } from "../core/alternative-names.ts";
import type { Problem } from "../core/problem.ts";
import type { LeafReport } from "./inspect-certificate.ts";
import { plain } from "./table.ts";

/** What `--json` prints. */
export interface PutReport {
  /** Whether etcd holds it now, or would. */
  readonly ok: boolean;
  /** `rejected`: a check failed. `refused`: it is good, and was not put for another reason. */
  readonly outcome: "put" | "wouldPut" | "unchanged" | "rejected" | "refused";
  readonly name: string;
  /** Revision of etcd that holds it; null where it was not put. */
  readonly revision: number | null;
  /** Null where what is given cannot be read. */
  readonly digest: string | null;
  readonly leaf: LeafReport | null;
  /** Keys of etcd that hold it, or would. */
  readonly keys: readonly string[];
  /** Keys of the same bundle that were there before, and are not any more, or would not be. */
  readonly deleted: readonly string[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
  /** What happens to it now. */
  readonly next: string | null;
}

/** For a person, where it went well. */
export function describePut(report: PutReport): string {
  const { name, outcome, revision, digest, leaf, keys, deleted, next } = report;
  const head = {
    put: `${name}: put at revision ${revision}`,
    wouldPut: `${name}: good; this is a dry run, and nothing was written`,
    unchanged: `${name}: unchanged since revision ${revision}; nothing was written (--force puts it again)`,
    rejected: name,
    refused: name,
  }[outcome];
  const rows = [
    ["digest", digest ?? ""],
    ["leaf", leaf === null ? "none: a trust bundle" : leafOf(leaf)],
    [outcome === "unchanged" ? "held in" : "written", keys.join(", ")],
    ["deleted", deleted.join(", ")],
    ["next", next ?? ""],
  ];
  const shown = rows.filter(([, text]) => text !== "");
  return [plain(head), ...shown.map(([label = "", text = ""]) => `  ${label.padEnd(11)}${plain(text)}`)].join(
    "\n",
  );
}

/** For a person, where it did not. */
export function explainPut({ name, problems, error }: PutReport): string {
  if (error !== null) return `keyturn: ${error.code}: ${plain(error.message)}`;
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  const lines = problems.map(({ code, message }) => `  ${code}: ${plain(message)}`);
  return [`keyturn: ${name} was not put, for ${count}:`, ...lines].join("\n");
}

function leafOf(leaf: LeafReport): string {
  const { subject, keyType, daysLeft } = leaf;
  return [subject, everyName(leaf).join(", "), keyType, `${daysLeft.toFixed(1)} days left`]
    .filter(Boolean)
    .join("; ");
}
