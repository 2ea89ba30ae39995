/** What is wrong with a bundle, in the order in which an engineer wants to read it: each with its code, and what it means. */
import { shortDigest } from "../core/digest.ts";
import type { Mark } from "../observe/standing.ts";
import type { BundleStatus } from "../observe/status.ts";

/** One thing that is wrong. */
export interface Trouble {
  /** A code of keyturn's, or a word. */
  readonly code: string;
  readonly message: string;
}

/** All of it; empty where nothing is. */
export function troublesOf(bundle: BundleStatus, marks: readonly Mark[]): readonly Trouble[] {
  const { problems, quarantine, lastReload, served, drift, expiring, overdue, generation } = bundle;
  return [
    ...(marks.includes("expired") ? [{ code: "expired", message: `at ${generation?.leaf?.notAfter}` }] : []),
    ...problems,
    ...(overdue ? [{ code: "overdue", message: "parts do not fit for longer than checks.settle" }] : []),
    ...(quarantine === null
      ? []
      : [
          {
            code: "quarantine",
            message: `${shortDigest(quarantine.digest)} does nothing: ${quarantine.why}`,
          },
        ]),
    ...(lastReload?.message && lastReload.message !== quarantine?.why
      ? [{ code: lastReload.outcome, message: lastReload.message }]
      : []),
    ...served
      .filter(({ matches }) => !matches)
      .map(({ service, reason, message }) => ({
        code: reason ?? "mismatch",
        message: `${service}: ${message}`,
      })),
    ...(drift !== null && drift.failure !== null
      ? [{ code: "drift", message: `${drift.findings.join("; ")}: ${drift.failure}` }]
      : []),
    ...(expiring !== null && !marks.includes("expired")
      ? [{ code: "expiring", message: `less than ${expiring.threshold} is left` }]
      : []),
  ];
}
