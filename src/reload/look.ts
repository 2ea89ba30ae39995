/**
 * One look at what etcd holds of a bundle: left alone where it is live or was rolled back, held while parts are missing,
 * rejected with every reason, or offered to the queue.
 */
import type { Bundle } from "../core/bundle.ts";
import type { Digest } from "../core/digest.ts";
import { KeyturnError, messageOf } from "../core/errors.ts";
import type { Report } from "../core/events.ts";
import { type Contents, isAbsent, type Material, readMaterial } from "../core/material.ts";
import type { RetryResult } from "../core/outcome.ts";
import { mayPass, mayYetFit, type Problem } from "../core/problem.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Examine, Read, Store } from "./ports.ts";
import type { ReloadQueue } from "./queue.ts";

/** What a look works with. */
export interface LookTools {
  /** How long parts may take to fit together before that is reported. */
  readonly settleMs: number;
  readonly store: Pick<Store, "current" | "history" | "quarantined" | "liftQuarantine">;
  readonly queue: Pick<ReloadQueue, "offer" | "offerNow" | "isBusy">;
  readonly examine: Examine;
  readonly read: Read;
  readonly clock: Clock;
  readonly report: Report;
}

/** How long a rejection that may pass by itself stands before it is looked at again. */
const LOOK_AGAIN_MS = 60_000;

/** Looks, and goes on looking while something may pass by itself; a newer look at the same bundle aborts it. */
export async function lookAt(material: Material, tools: LookTools, signal: AbortSignal): Promise<void> {
  const { report, clock } = tools;
  const read = readMaterial(material);
  if (!read.ok) {
    report({ ...rejectionOf(material), problems: read.problems });
    return;
  }
  const { contents } = read;
  if (await needsNothing(contents, tools)) return;
  let reported = "";
  for (;;) {
    const lookedAt = clock.now();
    const examined = await examineContents(contents, tools, signal);
    signal.throwIfAborted();
    if (examined.ok) return offer(contents, examined.bundle, tools, signal);
    const { problems } = examined;
    if (contents.inParts && mayYetFit(problems)) return waitForParts(material, problems, tools, signal);
    // Each time in the log would be too often for what has not changed.
    const codes = problems.map(({ code }) => code).join();
    if (codes !== reported) report({ ...rejectionOf(material), problems });
    reported = codes;
    const passes = mayPass(problems);
    if (!passes) return;
    do await clock.sleep(LOOK_AGAIN_MS, signal);
    while (passes === "withTheClock" && clock.now() >= lookedAt);
  }
}

/** What etcd holds of the bundle, where that is the content of this digest; else null. */
export async function contentOf(
  material: Material,
  digest: Digest,
  { read }: LookTools,
  signal: AbortSignal,
): Promise<Bundle | null> {
  const found = readMaterial(material);
  return found.ok && found.contents.digest === digest ? read(found.contents, signal) : null;
}

/**
 * Tries the content again, whatever became of it before.
 *
 * @throws KeyturnError BUNDLE_UNKNOWN, NOTHING_TO_DO.
 */
export async function retry(material: Material, tools: LookTools, signal: AbortSignal): Promise<RetryResult> {
  const { name } = material;
  const { store, queue, report } = tools;
  if (isAbsent(material))
    throw new KeyturnError("BUNDLE_UNKNOWN", `etcd holds no bundle ${name} for this node`);
  const read = readMaterial(material);
  if (!read.ok) return { kind: "rejected", problems: read.problems };
  const { contents } = read;
  if (isLive(contents, tools)) throw new KeyturnError("NOTHING_TO_DO", `what etcd holds of ${name} is live`);
  const examined = await examineContents(contents, tools, signal);
  if (!examined.ok) {
    const { problems } = examined;
    report({ ...rejectionOf(material), problems });
    return { kind: "rejected", problems };
  }
  await store.liftQuarantine(name, null);
  report(acceptanceOf(contents, examined.bundle));
  return { kind: "reloaded", outcome: await queue.offerNow(examined.bundle) };
}

/** The event of a rejection, without its reasons. */
export function rejectionOf({ name, revision }: Material) {
  return { type: "bundle.rejected", bundle: name, revision } as const;
}

/** A check that broke down, as a reason. */
export function breakdown(thrown: unknown): Problem {
  return { code: "CHECK_FAILED", message: messageOf(thrown) };
}

/** Whether the content is live, or was rolled back: there is nothing to do then, but to say so. */
async function needsNothing(contents: Contents, tools: LookTools): Promise<boolean> {
  const { name, digest, revision } = contents;
  const { store, report } = tools;
  if (isLive(contents, tools)) {
    report({ type: "bundle.unchanged", bundle: name, digest });
    // Other content than what was rolled back: that may be tried when it comes again.
    if (store.history(name).some(({ rollback }) => rollback?.quarantined))
      await store.liftQuarantine(name, digest);
    return true;
  }
  const held = store.quarantined(name, digest);
  if (held === undefined) return false;
  const why = held.rollback?.why ?? "it was rolled back";
  report({ type: "bundle.quarantined", bundle: name, digest, revision, why });
  return true;
}

function isLive({ name, digest }: Contents, { store, queue }: LookTools): boolean {
  const current = store.current(name);
  return current?.digest === digest && current.state === "live" && !queue.isBusy(name);
}

async function examineContents(contents: Contents, { store, examine }: LookTools, signal: AbortSignal) {
  const { name, blocks, inParts } = contents;
  // A bundle in parts whose leaf and key were deleted does not turn into a trust bundle: what is live stays.
  const hasIdentity = blocks.some(({ role }) => role === "private-key" || role === "certificate");
  if (!inParts || hasIdentity || !store.current(name)?.leaf) return examine(contents, signal);
  const message = "tls.crt and tls.key are gone, ca.crt is still there; put them again, or delete ca.crt too";
  return { ok: false, problems: [{ code: "LEAF_MISSING", message }] } as const;
}

async function offer(
  contents: Contents,
  bundle: Bundle,
  { store, queue, clock, settleMs, report }: LookTools,
  signal: AbortSignal,
): Promise<void> {
  // ca.crt may be the first of several parts: a new name gets a moment for its leaf and key to arrive.
  if (bundle.identity === null && contents.inParts && store.current(contents.name) === undefined)
    await clock.sleep(settleMs, signal);
  report(acceptanceOf(contents, bundle));
  queue.offer(bundle);
}

function acceptanceOf({ name, digest }: Contents, { revision, identity }: Bundle) {
  const leaf = identity?.leaf ?? null;
  return { type: "bundle.accepted", bundle: name, digest, revision, leaf } as const;
}

/** Says that parts are missing, and says so louder when they stay missing. */
async function waitForParts(
  { name, revision }: Material,
  problems: readonly Problem[],
  { report, clock, settleMs }: LookTools,
  signal: AbortSignal,
): Promise<void> {
  const waiting = { type: "bundle.waiting", bundle: name, revision, problems } as const;
  report({ ...waiting, overdue: false });
  await clock.sleep(settleMs, signal);
  report({ ...waiting, overdue: true });
}
