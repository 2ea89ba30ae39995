/** Whether a trust bundle, which has no leaf, can be trusted by anything. */
import type { Problem } from "../../core/problem.ts";
import { isRoot } from "../issuer.ts";
import { listMissing, listProblems, listsOf } from "./revocation.ts";
import type { CheckInput } from "./subject.ts";
import { outOfTime } from "./time.ts";

/** Checks that one anchor is valid now, and that each has its revocation list where there are any. */
export function checkTrust({ anchors, crls, hasAllCertificates, hasAllCrls, now }: CheckInput): Problem[] {
  const times = anchors.map((anchor) => outOfTime(anchor, now, false));
  const valid = anchors.filter((_, at) => times[at] === undefined);
  const outdated =
    valid.length > 0 || !hasAllCertificates ? [] : times.filter((problem) => problem !== undefined);
  if (crls.length === 0) return outdated;
  // A list of an authority that is not here may be that of an intermediate: nothing can be said of it.
  const lists = anchors.flatMap((anchor) => {
    const own = listsOf(anchor.certificate, crls, now);
    const isNeeded = hasAllCrls && valid.includes(anchor) && isRoot(anchor.certificate);
    return own.length === 0 && isNeeded
      ? [listMissing(anchor)]
      : own.flatMap((list) => listProblems(list, anchor, now));
  });
  return [...outdated, ...lists];
}
