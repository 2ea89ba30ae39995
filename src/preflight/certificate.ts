/**
 * Reads one certificate for its facts.
 *
 * The curve of its key is looked at first, so that OpenSSL comes to see only what it is safe with. It then says whether
 * the certificate can be read at all, as it will for the services.
 */
import "reflect-metadata";
import { type KeyObject, X509Certificate } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
} from "@peculiar/x509";
import { type CertificateFields, sameBytes, splitCertificate } from "../core/der.ts";
import { messageOf } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";
import { foreignCurve } from "./curve.ts";

/** Names of a certificate. */
interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
}

/** A certificate that could be read. */
export interface CertificateFacts {
  readonly der: Uint8Array;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly fingerprint256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly names: AlternativeNames;
  /** Whether this is the private key of this certificate. Throws nothing. */
  fits(key: KeyObject): boolean;
  /** DER of the names, which is what chains are built on (RFC 5280 §6.1). */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  /** RFC 5280 §4.2.1.2 and §4.2.1.1, hexadecimal, where present. */
  subjectKeyId(): string | undefined;
  authorityKeyId(): string | undefined;
}

/** Object identifiers below 2.5.29 (RFC 5280 §4.2.1), as they stand in DER. */
const SUBJECT_KEY_ID = "551d0e";
const SUBJECT_ALTERNATIVE_NAME = "551d11";
const AUTHORITY_KEY_ID = "551d23";

/** Reads a certificate; `where` is for the message. */
export function readCertificate(der: Uint8Array, where: string): CertificateFacts | Problem {
  try {
    const fields = splitCertificate(der);
    if (fields === undefined) throw new Error("its fields are not those of RFC 5280 §4.1");
    const curve = foreignCurve(...fields.keyAlgorithm);
    if (curve === undefined) return factsOf(new X509Certificate(Buffer.from(der)), fields, der);
    const message = `${where}: this certificate is on the curve ${curve}; use P-256, P-384 or P-521`;
    return { code: "CURVE_UNSUPPORTED", message };
  } catch (thrown) {
    const message = `${where}: this is not a certificate that can be read: ${messageOf(thrown)}`;
    return { code: "CERTIFICATE_UNREADABLE", message };
  }
}

/** Whether this certificate could have issued the other, by name and, where both are given, by key identifier. */
export function isIssuerOf(issuer: CertificateFacts, subject: CertificateFacts): boolean {
  if (!sameBytes(issuer.subjectDer, subject.issuerDer)) return false;
  const [issuerId, wantedId] = [issuer.subjectKeyId(), subject.authorityKeyId()];
  return issuerId === undefined || wantedId === undefined || issuerId === wantedId;
}

/** Whether subject and issuer are the same name. */
export function namesItself({ subjectDer, issuerDer }: CertificateFacts): boolean {
  return sameBytes(subjectDer, issuerDer);
}

function factsOf(certificate: X509Certificate, fields: CertificateFields, der: Uint8Array): CertificateFacts {
  const subjectKeyId = once(() => extensionOf(fields, SUBJECT_KEY_ID, SubjectKeyIdentifierExtension)?.keyId);
  const authorityKeyId = once(
    () => extensionOf(fields, AUTHORITY_KEY_ID, AuthorityKeyIdentifierExtension)?.keyId,
  );
  return {
    der,
    subject: toRfc4514(certificate.subject),
    issuer: toRfc4514(certificate.issuer),
    serial: certificate.serialNumber,
    fingerprint256: certificate.fingerprint256,
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    names: alternativeNamesOf(fields),
    fits: (key) => certificate.checkPrivateKey(key),
    subjectDer: fields.subject,
    issuerDer: fields.issuer,
    subjectKeyId,
    authorityKeyId,
  };
}

/** Key identifiers matter only where several certificates have one name, so they are read when they are asked for. */
function once<T>(read: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}

function extensionOf<T>(
  { extension }: CertificateFields,
  id: string,
  type: new (der: Buffer) => T,
): T | undefined {
  const der = extension(id);
  return der === undefined ? undefined : new type(Buffer.from(der));
}

/** Node writes a part of a name on each line, in the order of the DER; RFC 4514 §2.1 begins at the end. */
function toRfc4514(lines: string | undefined): string {
  // An empty name has no lines, and Node's types do not say so.
  return (lines ?? "").split("\n").reverse().join(",");
}

function alternativeNamesOf(fields: CertificateFields): AlternativeNames {
  const extension = extensionOf(fields, SUBJECT_ALTERNATIVE_NAME, SubjectAlternativeNameExtension);
  const names = extension?.names.toJSON() ?? [];
  const ofType = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value);
  return { dnsNames: ofType("dns"), ipAddresses: ofType("ip"), uris: ofType("url") };
}
