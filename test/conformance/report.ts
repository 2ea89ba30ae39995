/** What `npm run conformance` prints. */
import type { Finding, Result } from "./tally.ts";

/** For a person. */
export function textOf(result: Result): string {
  const { cases, agreement, falseAccepts, falseRejects, contained, broken, hung, crashed } = result;
  const compared = agreement + falseAccepts.length + falseRejects.length;
  const notApplicable = Object.entries(result.notApplicable).sort(([, a], [, b]) => b.length - a.length);
  const share = compared === 0 ? "" : ` (${((100 * agreement) / compared).toFixed(1)} %)`;
  const counts: readonly (readonly [string, string | number])[] = [
    ["cases", cases],
    ["agreement", `${agreement} of ${compared} compared${share}`],
    ["false accepts", falseAccepts.length],
    ["false rejects", falseRejects.length],
    ["not applicable", notApplicable.reduce((sum, [, ids]) => sum + ids.length, 0)],
    ["contained", contained.length],
    ["broken", broken.length],
    ["hung", hung.length],
    ["crashed", crashed.length],
  ];
  return [
    ...counts.map(([what, count]) => `${what.padEnd(15)} ${count}`),
    ...section(
      "False accepts: keyturn takes what the file says is bad",
      falseAccepts.map((one) => lineOf(one)),
    ),
    ...section(
      "False rejects: keyturn refuses what the file says is good",
      falseRejects.map((one) => lineOf(one, codesOf(one))),
    ),
    ...section(
      "Not applicable",
      notApplicable.map(([why, ids]) => `  ${String(ids.length).padStart(6)}  ${why}`),
    ),
    ...section(
      "Contained: the process that makes handshakes ended or hung, and keyturn refused the bundle",
      contained.map((one) => lineOf(one, codesOf(one))),
    ),
    ...section(
      "Broken: a check of keyturn failed by itself",
      broken.map((one) => lineOf(one, one.how)),
    ),
    ...section(
      "Hung: keyturn did not come to an end",
      hung.map((one) => lineOf(one, one.how)),
    ),
    ...section(
      "Crashed: keyturn ended",
      crashed.map((one) => lineOf(one, one.how)),
    ),
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}

function lineOf(finding: Finding, more?: string): string {
  const { id, description, features, conflictsWith } = finding;
  const notes = [
    ...(features.length > 0 ? [`optional: ${features.join(", ")}`] : []),
    ...(conflictsWith.length > 0 ? [`conflicts with ${conflictsWith.join(", ")}`] : []),
  ];
  const first = [id, ...(notes.length > 0 ? [`[${notes.join("; ")}]`] : [])].join(" ");
  return [`  ${first}`, ...(more === undefined ? [] : [`      ${more}`]), `      ${description}`].join("\n");
}

function codesOf({ problems }: Result["falseRejects"][number]): string {
  return problems.map(({ code, message }) => `${code}: ${message}`).join("\n      ");
}
