/** What a chain may be used for: to serve, to be a client, or to issue. */
import type { Candidate } from "../../core/handshake.ts";
import type { Problem } from "../../core/problem.ts";
import type { CertificateFacts } from "../certificate.ts";
import type { Placed } from "../chain.ts";
import { EXTENDED_KEY_USAGES, KEY_USAGES } from "../extensions.ts";
import { isRoot, mayUse } from "../issuer.ts";
import { type CheckInput, nameOf } from "./subject.ts";

type Use = keyof typeof EXTENDED_KEY_USAGES;
const BOTH: readonly Use[] = ["serverAuth", "clientAuth"];

/** Whether a leaf may be a server's: one that says nothing may be. */
export function mayServe(leaf: CertificateFacts): boolean {
  return allows(leaf, "serverAuth");
}

/** Netscape Certificate Type (2.16.840.1.113730.1.1), which OpenSSL still goes by. */
const NETSCAPE_TYPE = "6086480186f8420101";

/**
 * As what a chain has to be proven: everything its leaf says it is for, or else everything its issuers leave it.
 *
 * To OpenSSL a client differs from a server only by extended key usage and Netscape's type, and key usage that is checked
 * here. Where no issuer has them, what serves may be a client too, and one side of the handshake proves both.
 */
export function provenAs(path: readonly Placed[]): Candidate["as"] {
  const [leaf, ...issuers] = path;
  const said = BOTH.filter((use) => leaf !== undefined && allows(leaf.certificate, use));
  const left = said.filter((use) => issuers.every(({ certificate }) => allows(certificate, use)));
  const uses = leaf?.certificate.extendedKeyUsage === undefined ? left : said;
  if (uses.length === 2 && !path.some(isLimited)) return "server";
  if (uses.length !== 1) return "both";
  return uses[0] === "serverAuth" ? "server" : "client";
}

function isLimited({ certificate }: Placed, index: number): boolean {
  const isIssuer = index > 0 && certificate.extendedKeyUsage !== undefined;
  return isIssuer || certificate.extensions.some(({ id }) => id === NETSCAPE_TYPE);
}

/** Checks key usage and extended key usage of the leaf and of its issuers. */
export function checkUses(input: CheckInput): Problem[] {
  const [leaf, ...issuers] = input.chain?.path ?? [];
  if (leaf === undefined) return [];
  return [
    ...leafProblems(leaf),
    ...extendedProblems(leaf, issuers, input.policy.requireEku),
    ...issuers.flatMap(issuerProblems),
  ];
}

function leafProblems(leaf: Placed): Problem[] {
  const { constraints, keyUsage } = leaf.certificate;
  const problems: Problem[] = [];
  // What many programs make for themselves is an authority and a leaf in one, and nobody else trusts it.
  if (constraints?.isCa === true && !isRoot(leaf.certificate)) {
    const message = `${nameOf(leaf)} is the certificate of an authority: its key could issue others; put a leaf (CA:FALSE)`;
    problems.push({ code: "LEAF_IS_CA", message });
  }
  if (!mayUse(keyUsage, KEY_USAGES.digitalSignature)) {
    const message = `${nameOf(leaf)} has a key usage without digitalSignature, which TLS needs; issue it with it`;
    problems.push({ code: "KEY_USAGE_WRONG", message });
  }
  return problems;
}

function extendedProblems(leaf: Placed, issuers: readonly Placed[], required: readonly Use[]): Problem[] {
  const problem = (message: string): Problem => ({ code: "EXTENDED_KEY_USAGE_WRONG", message });
  const said = BOTH.filter((use) => allows(leaf.certificate, use));
  const missing = required.filter((use) => !said.includes(use));
  if (said.length === 0 || missing.length > 0) {
    const wanted = missing.join(" and ") || "serverAuth or clientAuth";
    return [problem(`${nameOf(leaf)} has an extended key usage without ${wanted}; issue it with it`)];
  }
  // A leaf that says nothing may be used for whatever its issuers leave it.
  const isOpen = leaf.certificate.extendedKeyUsage === undefined;
  return issuers.flatMap((issuer) => {
    const left = said.filter((use) => allows(issuer.certificate, use));
    const needed = isOpen ? required : said;
    const excluded = needed.filter((use) => !left.includes(use));
    if (left.length > 0 && excluded.length === 0) return [];
    const what = (excluded.length > 0 ? excluded : said).join(" and ");
    return [
      problem(`${nameOf(issuer)} may not issue certificates for ${what}; have the leaf issued by another`),
    ];
  });
}

function issuerProblems(issuer: Placed): Problem[] {
  if (mayUse(issuer.certificate.keyUsage, KEY_USAGES.keyCertSign)) return [];
  const message = `${nameOf(issuer)} has a key usage without keyCertSign, and issued certificates; issue it again with it`;
  return [{ code: "KEY_USAGE_WRONG", message }];
}

function allows({ extendedKeyUsage }: CertificateFacts, use: Use): boolean {
  return extendedKeyUsage === undefined || extendedKeyUsage.includes(EXTENDED_KEY_USAGES[use]);
}
