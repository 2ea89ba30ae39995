/**
 * Reads one certificate for its facts.
 *
 * The curve of its key is looked at first, so that OpenSSL comes to see only what it is safe with. It then says whether
 * the certificate can be read at all, as it will for the services.
 */
import { type KeyObject, X509Certificate } from "node:crypto";
import {
  type CertificateFields,
  dottedText,
  type ExtensionFields,
  sameBytes,
  splitCertificate,
} from "../core/der.ts";
import { messageOf } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";
import { shorten } from "../core/words.ts";
import { type SignatureFacts, signatureOf } from "./algorithms.ts";
import { foreignCurve } from "./curve.ts";
import { type Extensions, readExtensionFacts } from "./extensions.ts";

/** A certificate that could be read. */
export interface CertificateFacts extends Extensions {
  readonly der: Uint8Array;
  /** RFC 4514: the most specific part first. */
  readonly subject: string;
  readonly issuer: string;
  /** Upper-case hexadecimal. */
  readonly serial: string;
  readonly fingerprint256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whether it is of version 1, which has no extensions. */
  readonly isVersion1: boolean;
  /** All extensions, also those that nobody here reads. */
  readonly extensions: readonly ExtensionFields[];
  /** DER of the names, which is what chains are built on (RFC 5280 §6.1). */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  /** The content of its INTEGER. */
  readonly serialDer: Uint8Array;
  /** Undefined where this OpenSSL does not know its algorithm, which {@link keyAlgorithm} then says. */
  readonly publicKey: KeyObject | undefined;
  /** Dotted object identifier. */
  readonly keyAlgorithm: string;
  readonly signature: SignatureFacts;
  /** As OpenSSL has it. `toLegacyObject()` ends the process over some certificates, and is never called. */
  readonly openssl: X509Certificate;
  /** Whether this is the private key of this certificate. Throws nothing. */
  fits(key: KeyObject): boolean;
  /** Whether OpenSSL takes the other for the issuer, by names, key identifiers and key usage. Throws nothing. */
  takesForIssuer(other: CertificateFacts): boolean;
  /** Whether the key of the other made the signature. Throws nothing. */
  isSignedBy(other: CertificateFacts): boolean;
}

/** More of a name is not shown: RFC 5280 Appendix A.1 allows 64 characters for most parts of one. */
const MAX_NAME_CHARS = 500;

/** Object identifiers of keys that every supported OpenSSL knows: where one cannot be decoded, it is damaged. */
const KNOWN_KEYS: readonly string[] = [
  "1.2.840.113549.1.1.1",
  "1.2.840.113549.1.1.10",
  "1.2.840.10045.2.1",
  "1.2.840.10040.4.1",
  "1.3.101.112",
  "1.3.101.113",
];

/** Reads a certificate; `where` is for the message. */
export function readCertificate(der: Uint8Array, where: string): CertificateFacts | Problem {
  try {
    const fields = splitCertificate(der);
    const extensions = fields?.extensions();
    if (fields === undefined || extensions === undefined)
      throw new Error("its fields are not those of RFC 5280 §4.1");
    const curve = foreignCurve(...fields.keyAlgorithm);
    if (curve === undefined) return factsOf(new X509Certificate(Buffer.from(der)), fields, extensions, der);
    const message = `${where}: this certificate is on the curve ${curve}; use P-256, P-384 or P-521`;
    return { code: "CURVE_UNSUPPORTED", message };
  } catch (thrown) {
    const message = `${where}: this is not a certificate that can be read: ${messageOf(thrown)}`;
    return { code: "CERTIFICATE_UNREADABLE", message };
  }
}

/** Whether subject and issuer are the same name. */
export function namesItself({ subjectDer, issuerDer }: CertificateFacts): boolean {
  return sameBytes(subjectDer, issuerDer);
}

function factsOf(
  certificate: X509Certificate,
  fields: CertificateFields,
  extensions: readonly ExtensionFields[],
  der: Uint8Array,
): CertificateFacts {
  const signers = new WeakMap<CertificateFacts, boolean>();
  const keyAlgorithm = dottedText(fields.keyAlgorithm[0]?.subarray(2) ?? new Uint8Array());
  return {
    der,
    subject: toRfc4514(certificate.subject),
    issuer: toRfc4514(certificate.issuer),
    serial: certificate.serialNumber,
    fingerprint256: certificate.fingerprint256,
    notBefore: dateOf(certificate.validFrom),
    notAfter: dateOf(certificate.validTo),
    isVersion1: fields.version === 0,
    extensions,
    ...readExtensionFacts(extensions),
    subjectDer: fields.subject,
    issuerDer: fields.issuer,
    serialDer: fields.serial,
    publicKey: publicKeyOf(certificate, keyAlgorithm),
    keyAlgorithm,
    signature: signatureOf(fields.signatureAlgorithm),
    openssl: certificate,
    fits: (key) => certificate.checkPrivateKey(key),
    takesForIssuer: (other) => certificate.checkIssued(other.openssl),
    isSignedBy: (other) => {
      const known = signers.get(other) ?? verifies(certificate, other.publicKey);
      signers.set(other, known);
      return known;
    },
  };
}

/** A key of another kind may be that of a root that only newer services use: it is kept, and nothing is verified with it. */
function publicKeyOf(certificate: X509Certificate, algorithm: string): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch (thrown) {
    if (!KNOWN_KEYS.includes(algorithm)) return undefined;
    throw new Error("its public key is damaged", { cause: thrown });
  }
}

function verifies(certificate: X509Certificate, key: KeyObject | undefined): boolean {
  try {
    return key !== undefined && certificate.verify(key);
  } catch {
    // OpenSSL does not know the algorithm, or the key is none that signs.
    return false;
  }
}

function dateOf(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new Error("its times are none");
  return date;
}

/** For people. Node writes a part of a name on each line, in the order of the DER; RFC 4514 §2.1 begins at the end. */
function toRfc4514(lines: string | undefined): string {
  // An empty name has no lines, and Node's types do not say so.
  return shorten((lines ?? "").split("\n").reverse().join(","), MAX_NAME_CHARS);
}
