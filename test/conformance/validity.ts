/** Whether the certificates of a test case are, now, what they were at its time: OpenSSL in Node knows no other time. */
import "reflect-metadata";
import { X509Certificate, X509Crl } from "@peculiar/x509";
import type { LimboCase } from "./limbo-case.ts";

interface Span {
  readonly from: Date;
  /** A CRL need not say when it ends. */
  readonly to: Date | undefined;
}

/** Whether nothing of the case began or ended between the two moments. What cannot be read does neither. */
export function isSameThen(
  { peer_certificate, untrusted_intermediates, trusted_certs, crls }: LimboCase,
  then: Date,
  now: Date,
): boolean {
  const certificates = [peer_certificate, ...untrusted_intermediates, ...trusted_certs].map(
    spanOfCertificate,
  );
  return [...certificates, ...crls.map(spanOfCrl)].every(
    (span) => span === undefined || stateAt(span, then) === stateAt(span, now),
  );
}

function stateAt({ from, to }: Span, when: Date): "early" | "valid" | "over" {
  if (when < from) return "early";
  return to !== undefined && when > to ? "over" : "valid";
}

function spanOfCertificate(pem: string): Span | undefined {
  return readOr(() => {
    const { notBefore, notAfter } = new X509Certificate(pem);
    return { from: notBefore, to: notAfter };
  });
}

function spanOfCrl(pem: string): Span | undefined {
  return readOr(() => {
    const { thisUpdate, nextUpdate } = new X509Crl(pem);
    return { from: thisUpdate, to: nextUpdate };
  });
}

function readOr(read: () => Span): Span | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
