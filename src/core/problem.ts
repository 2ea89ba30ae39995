/** What can be wrong with a bundle, each with a code that scripts, metrics and alerts may rely on. */

/** Why a bundle does not go live. Bounded: these are label values of `keyturn_rejections_total`. */
export type ProblemCode =
  // What etcd holds.
  | "VALUE_EMPTY"
  | "VALUE_TOO_LARGE"
  | "SHAPE_CONFLICT"
  | "PEM_MISSING"
  | "PEM_MALFORMED"
  | "PKCS12_UNREADABLE"
  | "TOO_MANY_CERTIFICATES"
  | "TOO_MANY_CRLS"
  | "TOO_MANY_KEYS"
  | "META_INVALID"
  // Whether it can be read, and belongs together.
  | "CERTIFICATE_UNREADABLE"
  | "CURVE_UNSUPPORTED"
  | "CRL_UNREADABLE"
  | "LEAF_MISSING"
  | "LEAF_AMBIGUOUS"
  | "KEY_MISSING"
  | "KEY_ENCRYPTED"
  | "PASSPHRASE_WRONG"
  | "KEY_UNREADABLE"
  | "KEY_MISMATCH"
  // Time (RFC 5280 §4.1.2.5).
  | "CERTIFICATE_EXPIRED"
  | "CERTIFICATE_NOT_YET_VALID"
  | "CERTIFICATE_EXPIRES_SOON"
  | "VALIDITY_TOO_LONG"
  // Names and uses of the leaf.
  | "NAME_MISSING"
  | "NAME_NOT_COVERED"
  | "LEAF_IS_CA"
  | "KEY_USAGE_WRONG"
  | "EXTENDED_KEY_USAGE_WRONG"
  // The chain (RFC 5280 §6).
  | "CHAIN_INCOMPLETE"
  | "CHAIN_UNTRUSTED"
  | "ISSUER_NOT_CA"
  | "PATH_TOO_LONG"
  | "NAME_CONSTRAINT_VIOLATED"
  | "AUTHORITY_KEY_MISMATCH"
  | "SIGNATURE_INVALID"
  | "CRITICAL_EXTENSION_UNKNOWN"
  // What the profile allows.
  | "KEY_TOO_WEAK"
  | "SIGNATURE_TOO_WEAK"
  | "PROFILE_VIOLATED"
  // Revocation (RFC 5280 §5).
  | "CERTIFICATE_REVOKED"
  | "CRL_MISSING"
  | "CRL_EXPIRED"
  | "CRL_NOT_YET_VALID"
  | "CRL_INVALID"
  // What it would do to this node.
  | "TRUST_WOULD_BREAK"
  /** OpenSSL refuses the bundle for a reason that none of the others names. */
  | "HANDSHAKE_FAILED"
  /** The child process that makes the handshake ended over this bundle, twice. */
  | "HANDSHAKE_CRASHED"
  /** The handshake did not end within its deadline, twice. */
  | "HANDSHAKE_TIMEOUT"
  /** A check itself broke down: a fault of keyturn, and no word about the bundle. */
  | "CHECK_FAILED";

/** One failed check: `message` says what is wrong, where, and what to do about it. Never holds key material. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
}

/** Problems that a part still on its way may cure: a bundle in parts waits for it instead of being rejected. */
const CURED_BY_ANOTHER_PART: readonly ProblemCode[] = [
  "LEAF_MISSING",
  "KEY_MISSING",
  "KEY_MISMATCH",
  "CHAIN_INCOMPLETE",
  "CHAIN_UNTRUSTED",
  "CRL_MISSING",
];

/** Whether every problem may go away when the other parts arrive. */
export function mayYetFit(problems: readonly Problem[]): boolean {
  return problems.every(({ code }) => CURED_BY_ANOTHER_PART.includes(code));
}

/** Problems that may pass without anybody putting other content: time goes on, a file or another bundle is put right. */
const MAY_PASS: readonly ProblemCode[] = [
  "CERTIFICATE_NOT_YET_VALID",
  "CRL_NOT_YET_VALID",
  "KEY_ENCRYPTED",
  "PASSPHRASE_WRONG",
  "TRUST_WOULD_BREAK",
  "HANDSHAKE_TIMEOUT",
];

/** Problems that pass only where the clock of this node was ahead and is put back: time alone does not cure them. */
const PASS_WITH_THE_CLOCK: readonly ProblemCode[] = [
  "CERTIFICATE_EXPIRED",
  "CERTIFICATE_EXPIRES_SOON",
  "CRL_EXPIRED",
];

/** Whether every problem may pass by itself, and by what: as time goes on, or only when the clock is put back. */
export function mayPass(problems: readonly Problem[]): "withTime" | "withTheClock" | false {
  if (problems.every(({ code }) => MAY_PASS.includes(code))) return "withTime";
  const all = [...MAY_PASS, ...PASS_WITH_THE_CLOCK];
  return problems.every(({ code }) => all.includes(code)) && "withTheClock";
}
