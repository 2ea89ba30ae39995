/** Whether there is anything in the chain that must be understood and is not (RFC 5280 §4.2). */
import { dottedText } from "../../core/der.ts";
import type { Problem } from "../../core/problem.ts";
import { listSome } from "../../core/words.ts";
import type { Placed } from "../chain.ts";
import { type CheckInput, nameOf } from "./subject.ts";

/** What OpenSSL handles when it is critical: `X509_supported_extension()`. */
const HANDLED: readonly string[] = [
  "2.16.840.1.113730.1.1", // Netscape certificate type
  "2.5.29.15", // key usage
  "2.5.29.17", // subject alternative name
  "2.5.29.19", // basic constraints
  "2.5.29.30", // name constraints
  "2.5.29.31", // CRL distribution points
  "2.5.29.32", // certificate policies
  "2.5.29.33", // policy mappings
  "2.5.29.36", // policy constraints
  "2.5.29.37", // extended key usage
  "2.5.29.54", // inhibit any policy
  "1.3.6.1.5.5.7.1.7", // IP address blocks
  "1.3.6.1.5.5.7.1.8", // autonomous system numbers
  "1.3.6.1.5.5.7.1.14", // proxy certificate information
  "1.3.6.1.5.5.7.48.1.5", // OCSP no check
];

/** Checks the leaf, its issuers and the trust anchor that is used. */
export function checkCritical({ chain, policy }: CheckInput): Problem[] {
  return (chain?.path ?? []).flatMap((one) => {
    const unknown = unhandledIn(one).filter((id) => !policy.allowCriticalOids.includes(id));
    if (unknown.length === 0) return [];
    const message = `${nameOf(one)} has critical extensions that are not known here (${listSome(unknown)}); issue it without, or put them into checks.allowCriticalOids: clients with OpenSSL may refuse it all the same`;
    return [{ code: "CRITICAL_EXTENSION_UNKNOWN", message }];
  });
}

/** Whether OpenSSL will stumble over an extension that the policy accepts. */
export function hasToleratedExtension({ chain, policy }: CheckInput): boolean {
  return (chain?.path ?? []).some((one) =>
    unhandledIn(one).some((id) => policy.allowCriticalOids.includes(id)),
  );
}

function unhandledIn({ certificate }: Placed): string[] {
  return certificate.extensions
    .filter(({ isCritical }) => isCritical)
    .map(({ id }) => dottedText(Buffer.from(id, "hex")))
    .filter((id) => !HANDLED.includes(id));
}
