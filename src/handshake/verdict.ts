/** Makes a problem of what OpenSSL says: a code that can be relied on, and what it means and asks for. */
import type { Problem, ProblemCode } from "../core/problem.ts";
import type { Refusal } from "./refusal.ts";

/** The sides of a handshake. */
export type Side = "client" | "server";

/**
 * What OpenSSL says, what that is here, and what it means. Matched against its words, which are the same in OpenSSL 3.0
 * and 3.5, and against Node's code: a weak key is met while a certificate is loaded, or while its chain is verified.
 */
const SAYINGS: readonly (readonly [RegExp, ProblemCode, string])[] = [
  // Time.
  [
    /CERT_HAS_EXPIRED|certificate has expired/,
    "CERTIFICATE_EXPIRED",
    "the leaf, an intermediate or the root has expired; put the renewed one",
  ],
  [
    /CERT_NOT_YET_VALID|certificate is not yet valid/,
    "CERTIFICATE_NOT_YET_VALID",
    "the leaf, an intermediate or the root is not yet valid; put it when it is, or set the clock of this node right",
  ],
  // The chain.
  [
    /UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify the first certificate/,
    "CHAIN_INCOMPLETE",
    "the issuer of the leaf, by its name and its authority key identifier, is neither in the chain nor trusted; put the missing intermediate, or the root that belongs to this leaf",
  ],
  [
    /UNABLE_TO_GET_ISSUER_CERT_LOCALLY|unable to get local issuer certificate/,
    "CHAIN_UNTRUSTED",
    "the chain does not lead to any of the trust anchors; put the root that issued it, or the intermediate that is missing below it",
  ],
  [
    /UNABLE_TO_GET_ISSUER_CERT|unable to get issuer certificate/,
    "CHAIN_UNTRUSTED",
    "the chain leads to a trust anchor that is an intermediate, which OpenSSL does not take for an end; put its root beside it",
  ],
  [
    /SELF_SIGNED_CERT|self-signed certificate|CERT_UNTRUSTED|CERT_REJECTED|certificate (?:not trusted|rejected)/,
    "CHAIN_UNTRUSTED",
    "the chain ends at a certificate that signed itself and is not among the trust anchors; put it there if it is to be trusted",
  ],
  [
    /INVALID_CA|invalid CA certificate|key usage does not include certificate signing/,
    "ISSUER_NOT_CA",
    "a certificate in the chain may not issue others: its basic constraints or its key usage do not say so; have the leaf issued by an authority",
  ],
  [
    /PATH_LENGTH_EXCEEDED|path length constraint exceeded|CERT_CHAIN_TOO_LONG|certificate chain too long/,
    "PATH_TOO_LONG",
    "an authority allows fewer intermediates below it than there are; have the leaf issued nearer to the root",
  ],
  [
    /(?:permitted|excluded) subtree violation|name constraint|unsupported or invalid name syntax/,
    "NAME_CONSTRAINT_VIOLATED",
    "an authority in the chain may not issue for a name of the leaf; have it issued for other names, or by another authority",
  ],
  [
    /CERT_SIGNATURE_FAILURE|UNABLE_TO_DECRYPT_CERT_SIGNATURE|UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY|certificate signature failure|decrypt certificate's signature|decode issuer public key|signature algorithm and issuer|cert info signature/,
    "SIGNATURE_INVALID",
    "a certificate was changed after it was signed, or was signed with another key than that of its issuer; put it again as it was issued",
  ],
  [
    /unhandled critical extension/,
    "CRITICAL_EXTENSION_UNKNOWN",
    "a certificate has a critical extension that OpenSSL does not know, so that its clients will refuse it; have it issued without, or not critical",
  ],
  // What it is for, and how strong it is.
  [
    /INVALID_PURPOSE|unsuitable certificate purpose|unsupported certificate purpose/,
    "EXTENDED_KEY_USAGE_WRONG",
    "the leaf or one of its issuers is not for this: by its extended key usage, its key usage, or because the issuer is no authority; have the leaf issued for serverAuth, clientAuth or both, with digitalSignature",
  ],
  [
    /(?:ee|ca) key too small|(?:EE|CA) certificate key too weak/,
    "KEY_TOO_WEAK",
    "the key of a certificate in the chain is too short; use RSA of at least 2048 bits, or P-256",
  ],
  [
    /ca md too weak|CA signature digest algorithm too weak/,
    "SIGNATURE_TOO_WEAK",
    "a certificate in the chain is signed with a broken hash such as SHA-1; have it issued with SHA-256 or better",
  ],
  [
    /explicit ECC parameters/,
    "CURVE_UNSUPPORTED",
    "the curve of a key is given by its parameters and not by its name; use a key on P-256, P-384 or P-521",
  ],
  // Revocation.
  [
    /CERT_REVOKED|certificate revoked/,
    "CERTIFICATE_REVOKED",
    "the revocation list names the leaf or an intermediate; have it issued anew",
  ],
  [
    /UNABLE_TO_GET_CRL|unable to get certificate CRL/,
    "CRL_MISSING",
    "where there is a revocation list there has to be one of every authority in the chain, the root included; put those that are missing, or none",
  ],
  [
    /CRL_HAS_EXPIRED|CRL has expired/,
    "CRL_EXPIRED",
    "the time for the next update of a revocation list has passed; put the new list",
  ],
  [
    /CRL_NOT_YET_VALID|CRL is not yet valid/,
    "CRL_NOT_YET_VALID",
    "a revocation list is of a later time than now; put it then, or set the clock of this node right",
  ],
  [/Failed to parse CRL/, "CRL_UNREADABLE", "a revocation list cannot be read; put it as it was issued"],
  [
    /CRL/,
    "CRL_INVALID",
    "a revocation list is not one that its issuer signed, or may sign; put it as it was issued",
  ],
  // The key.
  [
    /key (?:values|type) mismatch/,
    "KEY_MISMATCH",
    "the private key is not that of the leaf; put the two that belong together",
  ],
  [
    /DECODER routines/,
    "KEY_UNREADABLE",
    "OpenSSL cannot read the private key; convert it to PKCS#8 (openssl pkey -in FILE)",
  ],
];

/** The problem that a refusal is. `by` refuses what the other presents; neither where it could not be loaded. */
export function problemOf(refusal: Refusal, by: readonly Side[]): Problem {
  const { code: name, words } = refusal;
  const who = by.length === 0 ? "OpenSSL" : `OpenSSL as ${by.join(" and as ")}`;
  const known =
    SAYINGS.find(([saying]) => saying.test(words)) ?? SAYINGS.find(([saying]) => saying.test(name));
  if (known === undefined) {
    return {
      code: "HANDSHAKE_FAILED",
      message: `${who} refuses the bundle, in its words: ${words} [${name}]`,
    };
  }
  const [, code, meaning] = known;
  return { code, message: `${meaning} (${who}: ${words})` };
}
