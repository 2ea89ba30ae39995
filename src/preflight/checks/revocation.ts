/**
 * What the revocation lists of a bundle say of its chain (RFC 5280 §5, §6.3).
 *
 * As OpenSSL has it: where there is one list, every authority of the chain needs one, and what cannot be told is refused.
 */
import { sameBytes } from "../../core/der.ts";
import type { Problem } from "../../core/problem.ts";
import type { CertificateFacts } from "../certificate.ts";
import type { Placed } from "../chain.ts";
import type { CrlFacts } from "../crl.ts";
import { KEY_USAGES } from "../extensions.ts";
import { isRoot, mayUse } from "../issuer.ts";
import { type CheckInput, dayOf, nameOf } from "./subject.ts";

/** Checks the leaf, its issuers and the trust anchor that is used. */
export function checkRevocation({ chain, crls, hasAllCrls, now }: CheckInput): Problem[] {
  const path = chain?.path ?? [];
  if (crls.length === 0) return [];
  const authorities = path.filter(({ certificate }, at) => at > 0 || isRoot(certificate));
  return authorities.flatMap((issuer) => {
    const below = path[path.indexOf(issuer) - 1];
    const subjects = [below, isRoot(issuer.certificate) ? issuer : undefined].filter(
      (one) => one !== undefined,
    );
    const lists = listsOf(issuer.certificate, crls, now);
    if (lists.length === 0) return hasAllCrls ? [listMissing(issuer)] : [];
    return lists.flatMap((list) => [
      ...listProblems(list, issuer, now),
      ...subjects.flatMap((subject) => revoked(subject, list, issuer)),
    ]);
  });
}

/** What an authority needs, where others have it. */
export function listMissing(issuer: Placed): Problem {
  const message = `there are revocation lists, and none of ${nameOf(issuer)}: services then refuse whatever it issued; put its list too (ca.crl), or none`;
  return { code: "CRL_MISSING", message };
}

/** Lists of an authority: of each kind of list the newest one that is valid now, or else the newest. */
export function listsOf(issuer: CertificateFacts, crls: readonly CrlFacts[], now: Date): CrlFacts[] {
  const named = crls.filter((crl) => !crl.isDelta && isListOf(issuer, crl)).sort(byWorth(now));
  // An authority that was renewed with another key has another list of the same name.
  const signed = named.filter((crl) => isSigned(crl, issuer));
  const own = signed.length > 0 ? signed : named;
  return [...new Map(own.map((crl) => [crl.scope, crl])).values()];
}

/** What is wrong with a list itself. */
export function listProblems(list: CrlFacts, issuer: Placed, now: Date): Problem[] {
  const { where, thisUpdate, nextUpdate } = list;
  const { keyUsage } = issuer.certificate;
  const fresh = "put a fresh one (ca.crl)";
  if (!isSigned(list, issuer.certificate)) {
    const message = `${where}: the key of ${nameOf(issuer)} did not sign this revocation list; ${fresh}`;
    return [{ code: "CRL_INVALID", message }];
  }
  if (!mayUse(keyUsage, KEY_USAGES.cRLSign)) {
    const message = `${where}: ${nameOf(issuer)} signed this revocation list, and its key usage has no cRLSign; issue it again with it`;
    return [{ code: "CRL_INVALID", message }];
  }
  if (now < thisUpdate) {
    const message = `${where}: this revocation list is valid only from ${dayOf(thisUpdate)}; wait until then, or ${fresh}`;
    return [{ code: "CRL_NOT_YET_VALID", message }];
  }
  if (nextUpdate === undefined || now <= nextUpdate) return [];
  const message = `${where}: this revocation list was due for another at ${dayOf(nextUpdate)}; ${fresh}`;
  return [{ code: "CRL_EXPIRED", message }];
}

function revoked(subject: Placed, list: CrlFacts, { certificate }: Placed): Problem[] {
  if (!isSigned(list, certificate) || !list.revokes(subject.certificate.serialDer)) return [];
  const message = `${nameOf(subject)} is revoked by the list at ${list.where}; put another one, with another key`;
  return [{ code: "CERTIFICATE_REVOKED", message }];
}

function isListOf(issuer: CertificateFacts, list: CrlFacts): boolean {
  const { issuerDer, authorityKeyId } = list;
  const isOpen = authorityKeyId === undefined || issuer.subjectKeyId === undefined;
  const isOfKey = authorityKeyId === issuer.subjectKeyId;
  if (sameBytes(issuerDer, issuer.subjectDer)) return isOpen || isOfKey;
  // The same name in other words (RFC 5280 §7.1): the key identifier and the signature tell.
  return !isOpen && isOfKey && isSigned(list, issuer);
}

function isSigned(list: CrlFacts, { publicKey }: CertificateFacts): boolean {
  return publicKey !== undefined && list.isSignedBy(publicKey);
}

/** The best last: a Map keeps the last of each key. */
function byWorth(now: Date): (a: CrlFacts, b: CrlFacts) => number {
  const isValid = ({ thisUpdate, nextUpdate }: CrlFacts) =>
    thisUpdate <= now && (nextUpdate === undefined || now <= nextUpdate);
  return (a, b) => Number(isValid(a)) - Number(isValid(b)) || a.thisUpdate.getTime() - b.thisUpdate.getTime();
}
