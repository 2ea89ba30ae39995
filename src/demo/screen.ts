/** What the demo shows. */
import { styleText } from "node:util";
import { type Digest, shortDigest } from "../core/digest.ts";
import type { Counts } from "./traffic.ts";

/** One rotation, seen to the end. Times in milliseconds from just before the put. */
export interface Rotation {
  readonly bundle: string;
  readonly digest: Digest;
  readonly revision: number;
  /** Until the service was told. */
  readonly hookMs: number;
  /** Until a new connection was given the new certificate. */
  readonly servedMs: number;
  /** Until keyturn had seen, by handshakes of its own, that it is served. */
  readonly verifiedMs: number;
}

/** A put that must not stay: what keyturn did about it, and why. */
export interface Refusal {
  readonly bundle: string;
  readonly revision: number;
  readonly what: "rejected" | "rolled back";
  readonly why: string;
}

export const HEAD =
  "TIME      BUNDLE      REVISION  DIGEST        PUT→HOOK  PUT→SERVED  PUT→VERIFIED  REQUESTS  FAILED";

export function rotationLine(rotation: Rotation, { served, failed }: Counts, now: Date): string {
  const { bundle, revision, digest, hookMs, servedMs, verifiedMs } = rotation;
  const cells = [
    now.toTimeString().slice(0, 8),
    bundle.padEnd(10),
    String(revision).padStart(8),
    shortDigest(digest),
    `${hookMs.toFixed(1)} ms`.padStart(8),
    `${servedMs.toFixed(1)} ms`.padStart(10),
    `${verifiedMs.toFixed(1)} ms`.padStart(12),
    served.toLocaleString("en").padStart(8),
    String(failed).padStart(6),
  ];
  return cells.join("  ");
}

export function refusalLine({ bundle, revision, what, why }: Refusal, now: Date): string {
  const cells = [now.toTimeString().slice(0, 8), bundle.padEnd(10), String(revision).padStart(8)];
  return `${cells.join("  ")}  ${paint("yellow", what)}: ${why}`;
}

/** The last lines: what turned, how fast, and whether anything was dropped. */
export function summary(
  rotations: readonly Rotation[],
  refusals: readonly Refusal[],
  { served, streams, failed, failures }: Counts,
): string {
  const middle = (values: number[]) =>
    values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  const hook = middle(rotations.map(({ hookMs }) => hookMs)).toFixed(1);
  const seen = middle(rotations.map(({ servedMs }) => servedMs)).toFixed(1);
  const verified = middle(rotations.map(({ verifiedMs }) => verifiedMs)).toFixed(1);
  const count = (what: Refusal["what"]) => refusals.filter((refusal) => refusal.what === what).length;
  const requests = `${served.toLocaleString("en")} requests served, ${streams.toLocaleString("en")} of them streams`;
  const verdict = failed === 0 ? paint("green", "0 failed") : paint("red", `${failed} failed`);
  return [
    "",
    `${rotations.length} rotations, p50 of put→hook ${hook} ms, put→served ${seen} ms, put→verified ${verified} ms`,
    `bad bundles rejected: ${count("rejected")}; refused by a service and rolled back: ${count("rolled back")}`,
    `${requests}, ${verdict}`,
    ...failures.map((failure) => `  ${failure}`),
  ].join("\n");
}

function paint(colour: "green" | "red" | "yellow", text: string): string {
  return process.stdout.isTTY ? styleText(colour, text) : text;
}
