/** What can be wrong with a bundle, each with a code that scripts, metrics and alerts may rely on. */

/** Why a bundle does not go live. Bounded: these are label values of `keyturn_rejections_total`. */
export type ProblemCode =
  | "VALUE_EMPTY"
  | "VALUE_TOO_LARGE"
  | "SHAPE_CONFLICT"
  | "PEM_MISSING"
  | "PEM_MALFORMED"
  | "TOO_MANY_CERTIFICATES"
  | "TOO_MANY_KEYS"
  | "CERTIFICATE_UNREADABLE"
  | "CURVE_UNSUPPORTED"
  | "LEAF_MISSING"
  | "LEAF_AMBIGUOUS"
  | "KEY_MISSING"
  | "KEY_ENCRYPTED"
  | "KEY_UNREADABLE"
  | "KEY_MISMATCH"
  | "META_INVALID"
  /** A check itself broke down: a fault of keyturn, and no word about the bundle. */
  | "CHECK_FAILED";

/** One failed check: `message` says what is wrong, where, and what to do about it. Never holds key material. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
}

/** Problems that a part still on its way may cure: a bundle in parts waits for it instead of being rejected. */
const CURED_BY_ANOTHER_PART: readonly ProblemCode[] = ["LEAF_MISSING", "KEY_MISSING", "KEY_MISMATCH"];

/** Whether every problem may go away when the other parts arrive. */
export function mayYetFit(problems: readonly Problem[]): boolean {
  return problems.every(({ code }) => CURED_BY_ANOTHER_PART.includes(code));
}
