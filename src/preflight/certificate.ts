/** Reads one certificate for its facts, in JavaScript only: nothing here can crash the process. */
import "reflect-metadata";
import { createHash } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
} from "@peculiar/x509";
import { sameBytes } from "../core/der.ts";
import { messageOf } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";

/** Names of a certificate. */
export interface AlternativeNames {
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
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** DER of the names, which is what chains are built on (RFC 5280 §6.1). */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  /** RFC 5280 §4.2.1.2 and §4.2.1.1, hexadecimal, where present. */
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
}

/** Curves with a name of NIST. On any other, the TLS library of Node 24 and 26 ends the process. */
const CURVES = new Set(["P-256", "P-384", "P-521"]);

/** Reads a certificate; `where` is for the message. */
export function readCertificate(der: Uint8Array, where: string): CertificateFacts | Problem {
  try {
    const certificate = new X509Certificate(Buffer.from(der));
    const curve = foreignCurve(certificate);
    if (curve === undefined) return factsOf(certificate, der);
    const message = `${where}: the certificate of ${certificate.subject} is on the curve ${curve}; use P-256, P-384 or P-521`;
    return { code: "CURVE_UNSUPPORTED", message };
  } catch (thrown) {
    const message = `${where}: this is not a certificate that can be read: ${messageOf(thrown)}`;
    return { code: "CERTIFICATE_UNREADABLE", message };
  }
}

/** Whether this certificate could have issued the other, by name and, where both are given, by key identifier. */
export function isIssuerOf(issuer: CertificateFacts, subject: CertificateFacts): boolean {
  if (!sameBytes(issuer.subjectDer, subject.issuerDer)) return false;
  const { subjectKeyId } = issuer;
  const { authorityKeyId } = subject;
  return subjectKeyId === undefined || authorityKeyId === undefined || subjectKeyId === authorityKeyId;
}

/** Whether subject and issuer are the same name. */
export function namesItself({ subjectDer, issuerDer }: CertificateFacts): boolean {
  return sameBytes(subjectDer, issuerDer);
}

function foreignCurve({ publicKey }: X509Certificate): string | undefined {
  const { algorithm } = publicKey;
  if (!("namedCurve" in algorithm)) return algorithm.name.startsWith("EC") ? "(none named)" : undefined;
  const curve = String(algorithm.namedCurve);
  // Ed25519 and the like are algorithms of their own, without a named curve.
  return CURVES.has(curve) || !algorithm.name.startsWith("EC") ? undefined : curve;
}

function factsOf(certificate: X509Certificate, der: Uint8Array): CertificateFacts {
  return {
    der,
    subject: certificate.subject,
    issuer: certificate.issuer,
    serial: certificate.serialNumber.toUpperCase(),
    fingerprint256: fingerprintOf(der),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    names: alternativeNamesOf(certificate),
    publicKey: new Uint8Array(certificate.publicKey.rawData),
    subjectDer: new Uint8Array(certificate.subjectName.toArrayBuffer()),
    issuerDer: new Uint8Array(certificate.issuerName.toArrayBuffer()),
    subjectKeyId: certificate.getExtension(SubjectKeyIdentifierExtension)?.keyId,
    authorityKeyId: certificate.getExtension(AuthorityKeyIdentifierExtension)?.keyId,
  };
}

function alternativeNamesOf(certificate: X509Certificate): AlternativeNames {
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  const ofType = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value);
  return { dnsNames: ofType("dns"), ipAddresses: ofType("ip"), uris: ofType("url") };
}

/** SHA-256 as OpenSSL prints it: upper-case, with colons. */
function fingerprintOf(der: Uint8Array): string {
  const hex = createHash("sha256").update(der).digest("hex").toUpperCase();
  return (hex.match(/../g) ?? []).join(":");
}
