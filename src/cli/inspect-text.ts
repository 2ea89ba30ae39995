/** What is known of a bundle, for a person: the leaf, where it leads, and every check. Facts in, lines out. */
import { everyName } from "../core/alternative-names.ts";
import type { CertificateReport, LeafReport } from "./inspect-certificate.ts";
import { type CheckName, type CheckReport, NOT_REACHED } from "./inspect-checks.ts";
import type { CrlReport } from "./inspect-crl.ts";
import type { ChainReport, InspectReport } from "./inspect-report.ts";
import type { Style } from "./style.ts";
import { plain } from "./table.ts";

/** What each check looks at. */
const LOOKS_AT: Readonly<Record<CheckName, string>> = {
  content: "everything in it can be read",
  key: "there is one private key, the leaf's",
  leaf: "there is one leaf, and it is no authority",
  validity: "it is valid now, and for long enough",
  names: "the leaf has the names it needs",
  usages: "leaf and issuers may be used for TLS",
  chain: "each certificate was issued by the next, up to a trust anchor",
  extensions: "nothing critical in it is unknown",
  strength: "keys, signatures and encryption are strong enough, and of the profile",
  revocation: "nothing in it is revoked, and every list is in force",
  handshake: "OpenSSL makes a TLS handshake with it",
  "trust-guard": "it cuts off nothing that is live",
  labels: "meta.json can be used",
};
const LABEL_WIDTH = 13;
const NAME_WIDTH = Math.max(...Object.keys(LOOKS_AT).map(({ length }) => length));

/** The lines. */
export function describeInspection(report: InspectReport, style: Style): string[] {
  const { leaf, chain, checks } = report;
  const line = (one: CertificateReport) => certificateLine(one, style);
  const anchors = report.anchors.filter(({ inChain }) => !inChain).map(line);
  const lists = report.crls.map((list) => crlLine(list, style));
  return [
    ...headOf(report, style),
    ...section("leaf", leaf === null ? [] : leafLines(leaf), style),
    ...section("chain, down from its root", treeOf(chain, style), style),
    ...section(leaf === null ? "trust anchors" : "trust anchors besides", anchors, style),
    ...section("revocation lists", lists, style),
    ...section("not used", report.unused.map(line), style),
    ...section(
      "checks",
      checks.filter(isWorthALine).flatMap((check) => checkLines(check, style)),
      style,
    ),
    "",
    summaryOf(report, style),
  ];
}

function headOf({ name, from, digest, revision }: InspectReport, style: Style): string[] {
  const at = revision === null ? "" : ` at revision ${revision}`;
  const lines = [style.paint("strong", name), field("from", `${from.join(", ")}${at}`)];
  return digest === null ? lines : [...lines, field("digest", digest)];
}

function section(title: string, lines: readonly string[], style: Style): string[] {
  return lines.length === 0 ? [] : ["", style.paint("strong", title), ...lines];
}

function field(label: string, text: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${plain(text)}`;
}

function leafLines(leaf: LeafReport): string[] {
  const { keyUsage, extendedKeyUsage } = leaf;
  return [
    field("subject", leaf.subject || "none"),
    field("issuer", leaf.issuer || "none"),
    field("serial", leaf.serial),
    field("SHA-256", leaf.fingerprint256),
    field("names", everyName(leaf).join(", ") || "none"),
    field("key", leaf.keyType),
    field("valid", `${shortTime(leaf.notBefore)} to ${shortTime(leaf.notAfter)}, ${timeLeft(leaf)}`),
    field("usages", usagesOf([keyUsage, extendedKeyUsage])),
    field("where", leaf.where),
  ];
}

function usagesOf(all: readonly (readonly string[] | null)[]): string {
  return (
    all
      .flatMap((usages) => (usages === null ? [] : [usages.join(", ")]))
      .filter((usages) => usages !== "")
      .join("; ") || "any"
  );
}

/** The leaf comes first in a chain, and last in its tree; what is sent besides is a tree of its own. */
function treeOf(chain: readonly ChainReport[], { branch, paint }: Style): string[] {
  return [...chain].reverse().map((step, depth) => {
    const indent = depth === 0 ? "" : " ".repeat((depth - 1) * branch.length) + branch;
    const roles = [step.role, step.trusted ? "trusted" : "", step.sent ? "sent" : ""].filter(Boolean);
    const facts = `${roles.join(", ")}; ${step.keyType}; ${timeLeft(step)}; ${step.where}`;
    return `  ${indent}${plain(step.subject || "no subject")}  ${paint("faint", plain(facts))}`;
  });
}

function certificateLine(one: CertificateReport, { paint }: Style): string {
  const facts = `${one.keyType}; ${timeLeft(one)}; ${one.where}`;
  return `  ${plain(one.subject || "no subject")}  ${paint("faint", plain(facts))}`;
}

function crlLine(list: CrlReport, { paint }: Style): string {
  const { issuer, thisUpdate, nextUpdate, entries, where } = list;
  const until = nextUpdate === null ? "with no next update" : `next by ${shortTime(nextUpdate)}`;
  const count = entries === 1 ? "1 entry" : `${entries} entries`;
  const facts = `of ${shortTime(thisUpdate)}, ${until}; ${count}; ${where}`;
  return `  ${plain(issuer)}  ${paint("faint", plain(facts))}`;
}

/** What does not concern this bundle is left to `--json`. */
function isWorthALine({ result, note }: CheckReport): boolean {
  return result !== "skipped" || note === NOT_REACHED;
}

function checkLines({ name, result, note, problems }: CheckReport, { marks, paint }: Style): string[] {
  const mark = result === "skipped" ? marks.skipped : paint(result === "ok" ? "good" : "bad", marks[result]);
  const said = note === null ? "" : ` (${note})`;
  const about = result === "ok" ? LOOKS_AT[name] + said : (note ?? "");
  const line = `  ${mark} ${name.padEnd(NAME_WIDTH)}  ${about}`.trimEnd();
  const indent = " ".repeat(2 + marks[result].length + 1);
  return [line, ...problems.map(({ code, message }) => `${indent}${paint("bad", code)}: ${plain(message)}`)];
}

function summaryOf({ name, ok, problems }: InspectReport, { paint }: Style): string {
  if (ok) return paint("good", `${name}: every check passes`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return paint("bad", `${name}: ${count}`);
}

function timeLeft({ daysLeft }: CertificateReport): string {
  return daysLeft < 0 ? `expired ${(-daysLeft).toFixed(1)} days ago` : `${daysLeft.toFixed(1)} days left`;
}

function shortTime(iso: string): string {
  return iso.replace(/\.\d+Z$/, "Z");
}
