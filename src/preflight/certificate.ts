/** Reads one certificate for its facts, in JavaScript only: nothing here can crash the process. */
import "reflect-metadata";
import { createHash } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
} from "@peculiar/x509";
import { type CertificateFields, sameBytes, splitCertificate } from "../core/der.ts";
import { messageOf } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";

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
/** id-ecPublicKey (RFC 5480 §2.1.1): what is left of the algorithm's name where the curve could not be told. */
const EC_PUBLIC_KEY = "1.2.840.10045.2.1";

/** Object identifiers below 2.5.29 (RFC 5280 §4.2.1), as they stand in DER. */
const SUBJECT_KEY_ID = "551d0e";
const SUBJECT_ALTERNATIVE_NAME = "551d11";
const AUTHORITY_KEY_ID = "551d23";

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

/** A curve that is given by its parameters, even those of P-256, or by a number that is not known here, is foreign too. */
function foreignCurve({ publicKey }: X509Certificate): string | undefined {
  const { algorithm } = publicKey;
  if (algorithm.name === EC_PUBLIC_KEY) return "that has no name here";
  // Ed25519 and the like are algorithms of their own, without a named curve.
  if (!algorithm.name.startsWith("EC")) return undefined;
  const curve = "namedCurve" in algorithm ? String(algorithm.namedCurve) : "(none named)";
  return CURVES.has(curve) ? undefined : curve;
}

function factsOf(certificate: X509Certificate, der: Uint8Array): CertificateFacts {
  const fields = splitCertificate(der);
  if (fields === undefined) throw new Error("its fields are not those of RFC 5280 §4.1");
  return {
    der,
    subject: mostSpecificFirst(certificate.subject),
    issuer: mostSpecificFirst(certificate.issuer),
    serial: certificate.serialNumber.toUpperCase(),
    fingerprint256: fingerprintOf(der),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    names: alternativeNamesOf(fields),
    publicKey: fields.publicKey,
    subjectDer: fields.subject,
    issuerDer: fields.issuer,
    subjectKeyId: extensionOf(fields, SUBJECT_KEY_ID, SubjectKeyIdentifierExtension)?.keyId,
    authorityKeyId: extensionOf(fields, AUTHORITY_KEY_ID, AuthorityKeyIdentifierExtension)?.keyId,
  };
}

/** One extension. `X509Certificate.getExtension` would read all of them, which takes twice as long as all the rest. */
function extensionOf<T>(
  { extensions }: CertificateFields,
  id: string,
  type: new (der: Buffer) => T,
): T | undefined {
  const der = extensions.get(id);
  return der === undefined ? undefined : new type(Buffer.from(der));
}

/** Turns a name around: @peculiar/x509 writes it in the order of the DER, RFC 4514 §2.1 from the end. */
function mostSpecificFirst(name: string): string {
  const parts = name.match(/(?:\\.|[^,\\])+/gs) ?? [];
  return parts
    .map((part) => part.trimStart())
    .reverse()
    .join(",");
}

function alternativeNamesOf(fields: CertificateFields): AlternativeNames {
  const extension = extensionOf(fields, SUBJECT_ALTERNATIVE_NAME, SubjectAlternativeNameExtension);
  const names = extension?.names.toJSON() ?? [];
  const ofType = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value);
  return { dnsNames: ofType("dns"), ipAddresses: ofType("ip"), uris: ofType("url") };
}

/** SHA-256 as OpenSSL prints it: upper-case, with colons. */
function fingerprintOf(der: Uint8Array): string {
  const hex = createHash("sha256").update(der).digest("hex").toUpperCase();
  return (hex.match(/../g) ?? []).join(":");
}
