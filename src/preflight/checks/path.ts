/** Whether each certificate of the chain was issued by the next one, up to a trust anchor (RFC 5280 §6). */
import { sameBytes } from "../../core/der.ts";
import type { Problem } from "../../core/problem.ts";
import { namesItself } from "../certificate.ts";
import { type Placed, reachesAnchor } from "../chain.ts";
import { isAuthority, isRoot, issuanceOf } from "../issuer.ts";
import { type CheckInput, nameOf } from "./subject.ts";

/** Checks every step, and where they end. */
export function checkPath(input: CheckInput): Problem[] {
  const path = input.chain?.path ?? [];
  const steps = path.slice(1).flatMap((issuer, at) => {
    const subject = path[at];
    return subject === undefined ? [] : stepProblems(subject, issuer, path.slice(1, at + 1));
  });
  return [...steps, ...endProblems(input, path)];
}

/** @param between The issuers below this one. */
function stepProblems(subject: Placed, issuer: Placed, between: readonly Placed[]): Problem[] {
  const issuance = issuanceOf(subject.certificate, issuer.certificate);
  const problems: Problem[] = [];
  if (issuance?.isIdentified === false) {
    const message = `${nameOf(subject)} names its issuer by ${authorityOf(subject)}, and ${nameOf(issuer)} has another, though it signed it; put the certificate of the issuer that is named, or issue ${subject.certificate.subject} again`;
    problems.push({ code: "AUTHORITY_KEY_MISMATCH", message });
  }
  if (issuance?.isSigned === false) {
    problems.push({ code: "SIGNATURE_INVALID", message: notSigned(subject, issuer) });
  }
  if (!isAuthority(issuer.certificate)) {
    const message = `${nameOf(issuer)} is no authority (CA:TRUE), and issued ${subject.certificate.subject}; issue it again with CA:TRUE, or have the leaf issued by an authority`;
    problems.push({ code: "ISSUER_NOT_CA", message });
  }
  const { pathLength } = issuer.certificate.constraints ?? {};
  // RFC 5280 §4.2.1.9: certificates that name themselves as issuer do not count.
  const length = between.filter(({ certificate }) => !namesItself(certificate)).length;
  if (pathLength !== undefined && length > pathLength) {
    const message = `${nameOf(issuer)} allows ${pathLength} authorities below it, and there are ${length}; have the leaf issued by one that is nearer to it`;
    problems.push({ code: "PATH_TOO_LONG", message });
  }
  return problems;
}

function notSigned(subject: Placed, issuer: Placed): string {
  const { publicKey, keyAlgorithm } = issuer.certificate;
  return publicKey === undefined
    ? `the signature of ${nameOf(subject)} cannot be verified: the key of ${nameOf(issuer)} is of the kind ${keyAlgorithm}, which this OpenSSL does not know; run keyturn on a newer Node.js, or have the leaf issued by another`
    : `${nameOf(subject)} was not signed by the key of ${nameOf(issuer)}: it is damaged, or that is another issuer of the same name; put the certificate as it was issued`;
}

function authorityOf({ certificate: { authorityKey } }: Placed): string {
  const { keyId, serial } = authorityKey ?? {};
  const ways = [
    keyId && `the key identifier ${keyId}`,
    serial && `the serial number ${Buffer.from(serial).toString("hex")}`,
  ];
  return ways.filter((way) => way !== undefined).join(" and ");
}

/** Without any trust anchor it cannot be told whether the chain is all there. */
function endProblems(
  { anchors, hasAllCertificates, certificates }: CheckInput,
  path: readonly Placed[],
): Problem[] {
  const last = path.at(-1);
  if (last === undefined || anchors.length === 0 || !hasAllCertificates || reachesAnchor(path)) return [];
  const { issuer, issuerDer } = last.certificate;
  if (isRoot(last.certificate)) {
    const message = `the chain ends at ${nameOf(last)}, which is none of the trust anchors; put it with them (ca.crt), or put a chain that one of them issued`;
    return [{ code: "CHAIN_UNTRUSTED", message }];
  }
  const namesake = certificates.find(
    (one) => sameBytes(one.certificate.subjectDer, issuerDer) && !path.includes(one),
  );
  if (namesake !== undefined) {
    const message = `${nameOf(last)} was issued by ${issuer}, and ${nameOf(namesake)} is another authority of the same name, with another key; put the one that issued it`;
    return [{ code: "CHAIN_UNTRUSTED", message }];
  }
  const why = last.isAnchor ? ": clients with OpenSSL do not stop at a trust anchor that is no root" : "";
  const message = `the issuer of ${nameOf(last)} is missing${why}; put ${issuer} into the chain (tls.crt) if it is an intermediate, or with the trust anchors (ca.crt) if it is a root`;
  return [{ code: "CHAIN_INCOMPLETE", message }];
}
