/** Whether the chain is valid now, and for long enough (RFC 5280 §4.1.2.5). */
import type { Problem } from "../../core/problem.ts";
import type { Placed } from "../chain.ts";
import { type CheckInput, dayOf, nameOf } from "./subject.ts";

const SECOND_MS = 1_000;
const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", SECOND_MS],
] as const;

/** Checks the leaf, every issuer and the trust anchor that is used. */
export function checkTime({ chain, policy, now }: CheckInput): Problem[] {
  const [leaf, ...issuers] = chain?.path ?? [];
  if (leaf === undefined) return [];
  const { notBefore, notAfter } = leaf.certificate;
  const problems = [leaf, ...issuers].flatMap((one) => {
    const problem = outOfTime(one, now, one === leaf);
    return problem === undefined ? [] : [problem];
  });
  const leftMs = notAfter.getTime() - now.getTime();
  if (leftMs >= 0 && leftMs < policy.minRemainingMs) {
    const message = `${nameOf(leaf)} ends in ${inWords(leftMs)}, at ${dayOf(notAfter)}; checks.minRemaining is ${inWords(policy.minRemainingMs)}: put a renewed one`;
    problems.push({ code: "CERTIFICATE_EXPIRES_SOON", message });
  }
  const lifetimeMs = notAfter.getTime() - notBefore.getTime();
  if (policy.maxValidityMs !== null && lifetimeMs > policy.maxValidityMs) {
    const message = `${nameOf(leaf)} is valid for ${inWords(lifetimeMs)}; checks.maxValidity is ${inWords(policy.maxValidityMs)}: put one for a shorter time`;
    problems.push({ code: "VALIDITY_TOO_LONG", message });
  }
  return problems;
}

/** What is wrong with the time of a certificate. Both of its moments are within it. */
export function outOfTime(one: Placed, now: Date, isLeaf: boolean): Problem | undefined {
  const { notBefore, notAfter } = one.certificate;
  if (now > notAfter) {
    const remedy = isLeaf ? "put a renewed one" : "put the renewed one, and a leaf that it issued";
    return {
      code: "CERTIFICATE_EXPIRED",
      message: `${nameOf(one)} expired at ${dayOf(notAfter)}; ${remedy}`,
    };
  }
  if (now >= notBefore) return undefined;
  const message = `${nameOf(one)} is valid only from ${dayOf(notBefore)}; wait until then, or set the clock right that issued it, or the one of this node`;
  return { code: "CERTIFICATE_NOT_YET_VALID", message };
}

/** The two largest units: `2d 3h`. */
function inWords(ms: number): string {
  let left = Math.max(0, Math.floor(ms / SECOND_MS) * SECOND_MS);
  const words: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) words.push(`${count}${unit}`);
  }
  return words.slice(0, 2).join(" ") || "0s";
}
