/**
 * Proves a bundle good, or names everything that is wrong with it.
 *
 *     ┌─► handshake, in a process of its own ──┬─► merge ─► trust guard
 *     └─► unlock ─► draft ─► checks of our own ┘
 */
import type { Bundle } from "../core/bundle.ts";
import type { Report } from "../core/events.ts";
import type { Candidate, Prove } from "../core/handshake.ts";
import type { Contents } from "../core/material.ts";
import type { BundleName } from "../core/names.ts";
import type { CheckPolicy } from "../core/policy.ts";
import { mayYetFit, type Problem } from "../core/problem.ts";
import { type Clock, yieldToOthers } from "../runtime/clock.ts";
import { identityPemOf, trustPemOf } from "./candidate.ts";
import { readCertificate } from "./certificate.ts";
import { type ReadCertificate, rememberCertificates } from "./certificate-cache.ts";
import { checkAll } from "./checks/all.ts";
import { hasToleratedExtension } from "./checks/critical.ts";
import type { CheckInput } from "./checks/subject.ts";
import { provenAs } from "./checks/uses.ts";
import { type Draft, draftBundle } from "./draft.ts";
import { type EarlyProof, proveEarly } from "./early-proof.ts";
import { mergeProblems } from "./merge.ts";
import type { GuardTrust } from "./trust-guard.ts";
import type { Unlock, Unlocked } from "./unlock.ts";

/** What bundles are examined by. */
export interface ExamineOptions {
  readonly policyFor: (name: BundleName) => CheckPolicy;
  readonly unlock: Unlock;
  readonly prove: Prove;
  readonly clock: Pick<Clock, "now">;
  readonly report: Report;
  /** Looks at a trust bundle that is good by itself; null for none. */
  readonly guardTrust: GuardTrust | null;
  /** Called with what may yet turn out to be good, when there is nothing to do but to wait for OpenSSL. */
  readonly onWait?: ((bundle: Bundle) => void) | undefined;
  /** Reads certificates; those that were read last are remembered where it is left out. */
  readonly read?: ReadCertificate;
}

/** The bundle, or every problem, in an order that does not change. */
export type Examined =
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Makes an examiner. What it makes rejects with the signal's reason when that is aborted. */
export function createExamine(
  options: ExamineOptions,
): (contents: Contents, signal: AbortSignal) => Promise<Examined> {
  const { policyFor, unlock, clock, prove, guardTrust, onWait } = options;
  const read = options.read ?? rememberCertificates(readCertificate);
  return async (contents, signal) => {
    const policy = policyFor(contents.name);
    const early = proveEarly(contents, prove, signal);
    // The question goes out before this process is busy with the same bundle.
    if (early !== undefined) await yieldToOthers();
    const unlocked = await unlock(contents, policy, signal);
    tellLegacy(contents, unlocked, options);
    const now = clock.now();
    const draft = draftBundle(contents, unlocked, { read, now });
    if (waitsForParts(contents, draft)) return { ok: false, problems: mergeProblems(draft.problems, []) };
    const input = { ...draft.facts, policy, now };
    const { bundle } = draft;
    const [openssl, own] = await Promise.all([
      proveDraft(draft, input, { early, prove }, signal),
      check(input, bundle, onWait),
    ]);
    const problems = mergeProblems([...draft.problems, ...own], openssl);
    if (bundle === null || problems.length > 0) return { ok: false, problems };
    const broken = bundle.identity === null ? ((await guardTrust?.(bundle, signal)) ?? []) : [];
    return broken.length === 0 ? { ok: true, bundle } : { ok: false, problems: mergeProblems(broken, []) };
  };
}

function tellLegacy({ name }: Contents, { keys }: Unlocked, { report }: ExamineOptions): void {
  for (const { isLegacy, where } of keys) if (isLegacy) report({ type: "key.legacy", bundle: name, where });
}

/** Parts that do not belong together say nothing of each other: the one that is missing is waited for. */
function waitsForParts({ inParts }: Contents, { problems }: Draft): boolean {
  return inParts && problems.length > 0 && mayYetFit(problems);
}

/** Async, so that what it throws ends nothing while the handshake is still out. */
async function check(
  input: CheckInput,
  bundle: Bundle | null,
  onWait: ExamineOptions["onWait"],
): Promise<Problem[]> {
  const problems = checkAll(input);
  if (bundle !== null && problems.length === 0) onWait?.(bundle);
  return problems;
}

/** What OpenSSL says. Nothing that could not be read comes before it: the child could end over it. */
async function proveDraft(
  { bundle }: Draft,
  input: CheckInput,
  { early, prove }: { readonly early: EarlyProof | undefined; readonly prove: Prove },
  signal: AbortSignal,
): Promise<readonly Problem[]> {
  const { chain } = input;
  if (bundle === null || bundle.identity === null || chain === null) return [];
  const candidate: Candidate = {
    identity: identityPemOf(bundle.identity),
    trust: trustPemOf(bundle),
    as: provenAs(chain.path),
  };
  const problems = await (early?.answerFor(candidate) ?? prove(candidate, signal));
  // OpenSSL goes on after an extension it does not know, and tells the last fault it finds: so there is no other.
  return hasToleratedExtension(input)
    ? problems.filter(({ code }) => code !== "CRITICAL_EXTENSION_UNKNOWN")
    : problems;
}
