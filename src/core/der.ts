/** The little of DER that the digest needs: which certificates name themselves as their issuer. */

interface Tlv {
  readonly tag: number;
  /** Offset of the tag. */
  readonly start: number;
  /** Offset of the content. */
  readonly content: number;
  /** Offset after the content. */
  readonly end: number;
}

const SEQUENCE = 0x30;
const VERSION = 0xa0;

/**
 * Whether subject and issuer of a certificate are the same name (RFC 5280 §3.2: self-issued).
 *
 * Anything that is not a certificate is not self-issued; whether it is well-formed is for the checks to say.
 */
export function isSelfIssued(certificate: Uint8Array): boolean {
  const outer = readTlv(certificate, 0, certificate.length);
  if (outer?.tag !== SEQUENCE) return false;
  const tbs = readTlv(certificate, outer.content, outer.end);
  if (tbs?.tag !== SEQUENCE) return false;
  const fields = readFields(certificate, tbs, 6);
  // TBSCertificate (RFC 5280 §4.1): [0] version?, serialNumber, signature, issuer, validity, subject, …
  const first = fields[0]?.tag === VERSION ? 1 : 0;
  const issuer = fields[first + 2];
  const subject = fields[first + 4];
  if (issuer?.tag !== SEQUENCE || subject?.tag !== SEQUENCE) return false;
  return sameBytes(
    certificate.subarray(issuer.start, issuer.end),
    certificate.subarray(subject.start, subject.end),
  );
}

/** Whether two byte strings are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function readFields(bytes: Uint8Array, parent: Tlv, most: number): Tlv[] {
  const fields: Tlv[] = [];
  let at = parent.content;
  while (fields.length < most) {
    const field = readTlv(bytes, at, parent.end);
    if (field === undefined) break;
    fields.push(field);
    at = field.end;
  }
  return fields;
}

/** One tag, length and value within [at, limit), definite lengths only (X.690 §10.1). */
function readTlv(bytes: Uint8Array, at: number, limit: number): Tlv | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || at + 2 > limit) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || first === 0x80) return undefined;
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
  const content = at + 2 + lengthBytes;
  return content + length > limit ? undefined : { tag, start: at, content, end: content + length };
}
