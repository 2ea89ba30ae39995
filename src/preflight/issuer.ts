/** Whether one certificate issued another, and what stands against it. */
import { sameBytes } from "../core/der.ts";
import { type CertificateFacts, namesItself } from "./certificate.ts";
import { KEY_USAGES } from "./extensions.ts";

/** What the names, key identifiers and the signature say of a certificate and the one that may have issued it. */
export interface Issuance {
  /** Whether the authority key identifier fits, by key identifier and by issuer and serial (RFC 5280 §4.2.1.1). */
  readonly isIdentified: boolean;
  readonly isSigned: boolean;
}

/** Whether one names the other as its issuer. OpenSSL has no regard for case, spaces and kinds of string (§7.1). */
export function isNamedBy(subject: CertificateFacts, issuer: CertificateFacts): boolean {
  return sameBytes(subject.issuerDer, issuer.subjectDer) || subject.takesForIssuer(issuer);
}

/** Undefined where the other did not issue it: the name is another, or neither key identifier nor signature fits. */
export function issuanceOf(subject: CertificateFacts, issuer: CertificateFacts): Issuance | undefined {
  if (!isNamedBy(subject, issuer)) return undefined;
  const isIdentified = subject.takesForIssuer(issuer) || isIdentifiedBy(subject, issuer);
  const isSigned = subject.isSignedBy(issuer);
  return isIdentified || isSigned ? { isIdentified, isSigned } : undefined;
}

/** Whether the authority key identifier of the subject is that of the issuer, as far as either says anything. */
function isIdentifiedBy({ authorityKey }: CertificateFacts, issuer: CertificateFacts): boolean {
  const { keyId, serial, issuer: name } = authorityKey ?? {};
  if (keyId !== undefined && issuer.subjectKeyId !== undefined && keyId !== issuer.subjectKeyId) return false;
  if (serial !== undefined && !sameBytes(serial, issuer.serialDer)) return false;
  return name === undefined || sameBytes(name, issuer.issuerDer);
}

/** Whether it is at the top of a hierarchy: its issuer is itself, and not an older key of the same name. */
export function isRoot(certificate: CertificateFacts): boolean {
  return namesItself(certificate) && isIdentifiedBy(certificate, certificate);
}

/**
 * Whether it may issue certificates at all. A root of version 1, or one without basic constraints whose key usage says
 * that it may, is an authority to OpenSSL too; an intermediate has to say it (RFC 5280 §4.2.1.9).
 */
export function isAuthority(certificate: CertificateFacts): boolean {
  const { constraints, isVersion1, keyUsage } = certificate;
  if (constraints !== undefined) return constraints.isCa;
  return isRoot(certificate) && (isVersion1 || mayUse(keyUsage, KEY_USAGES.keyCertSign, false));
}

/** Whether a key usage allows something; `otherwise` is what holds where there is no such extension. */
export function mayUse(keyUsage: number | undefined, flag: number, otherwise = true): boolean {
  return keyUsage === undefined ? otherwise : (keyUsage & flag) !== 0;
}
