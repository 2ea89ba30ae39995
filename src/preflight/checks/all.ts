/** Every check that keyturn makes by itself: facts in, problems out. */
import type { Problem } from "../../core/problem.ts";
import { checkCritical } from "./critical.ts";
import { checkNames } from "./names.ts";
import { checkPath } from "./path.ts";
import { checkRevocation } from "./revocation.ts";
import { checkStrength } from "./strength.ts";
import type { CheckInput } from "./subject.ts";
import { checkTime } from "./time.ts";
import { checkTrust } from "./trust.ts";
import { checkUses } from "./uses.ts";

const CHECKS = [checkTime, checkNames, checkUses, checkPath, checkCritical, checkStrength, checkRevocation];

/** Everything that is wrong with a bundle, as far as it could be read. */
export function checkAll(input: CheckInput): Problem[] {
  return input.isTrustOnly ? checkTrust(input) : CHECKS.flatMap((check) => check(input));
}
