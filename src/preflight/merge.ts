/** One list of everything that is wrong, from our own checks and from OpenSSL's answer. */
import type { Problem, ProblemCode } from "../core/problem.ts";
import { shorten } from "../core/words.ts";

const MAX_MESSAGE_CHARS = 2_000;

/** Faults that OpenSSL finds while it looks for issuers: it stops at the first, and calls most of them by one name. */
const OF_THE_PATH: readonly ProblemCode[] = [
  "CHAIN_INCOMPLETE",
  "CHAIN_UNTRUSTED",
  "ISSUER_NOT_CA",
  "AUTHORITY_KEY_MISMATCH",
  "SIGNATURE_INVALID",
  "KEY_USAGE_WRONG",
  "EXTENDED_KEY_USAGE_WRONG",
  "PATH_TOO_LONG",
];
const OF_REVOCATION: readonly ProblemCode[] = [
  "CERTIFICATE_REVOKED",
  "CRL_MISSING",
  "CRL_EXPIRED",
  "CRL_NOT_YET_VALID",
  "CRL_INVALID",
];
const OF_STRENGTH: readonly ProblemCode[] = ["KEY_TOO_WEAK", "SIGNATURE_TOO_WEAK"];
const OF_TIME: readonly ProblemCode[] = ["CERTIFICATE_EXPIRED", "CERTIFICATE_NOT_YET_VALID"];

/** For what OpenSSL says: the problems of our own that are behind it, besides the one of the same code. */
const EXPLAINED_BY: Partial<Record<ProblemCode, readonly ProblemCode[]>> = {
  ...Object.fromEntries(OF_THE_PATH.map((code) => [code, OF_THE_PATH])),
  ...Object.fromEntries(OF_REVOCATION.map((code) => [code, [...OF_REVOCATION, ...OF_THE_PATH]])),
  ...Object.fromEntries(OF_STRENGTH.map((code) => [code, OF_STRENGTH])),
  HANDSHAKE_FAILED: [
    ...OF_THE_PATH,
    ...OF_REVOCATION,
    ...OF_STRENGTH,
    ...OF_TIME,
    "CRITICAL_EXTENSION_UNKNOWN",
  ],
};

/**
 * Puts problems into one order that does not depend on the order of blocks or of answers. What OpenSSL says is left out
 * where a problem of our own says it better.
 */
export function mergeProblems(own: readonly Problem[], openssl: readonly Problem[]): Problem[] {
  const known = new Set(own.map(({ code }) => code));
  const unexplained = openssl.filter(
    ({ code }) => !known.has(code) && !EXPLAINED_BY[code]?.some((behind) => known.has(behind)),
  );
  const distinct = new Map([...own, ...unexplained].map(short).map((problem) => [inOrder(problem), problem]));
  return [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, problem]) => problem);
}

/** Names, numbers and identifiers in certificates may be of any length. */
function short({ code, message }: Problem): Problem {
  return { code, message: shorten(message, MAX_MESSAGE_CHARS) };
}

function inOrder({ code, message }: Problem): string {
  return `${code} ${message}`;
}
