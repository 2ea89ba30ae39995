/** The little of DER that has to be exact or fast: the fields of a certificate as the bytes they are. */

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
const EXTENSIONS = 0xa3;
/** More than any real certificate has of fields or of extensions. */
const MAX_FIELDS = 64;

/** Fields of a certificate (RFC 5280 §4.1), each with its tag and length. */
export interface CertificateFields {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** The algorithm of the public key: its object identifier, and its parameters where it has any. */
  readonly keyAlgorithm: readonly [identifier: Uint8Array | undefined, parameters: Uint8Array | undefined];
  /** The Extension with this object identifier, given as its content in hexadecimal (`551d11`). */
  extension(id: string): Uint8Array | undefined;
}

/** Takes a certificate apart; undefined where it is none. Whether it is well-formed is for the checks to say. */
export function splitCertificate(der: Uint8Array): CertificateFields | undefined {
  const outer = readTlv(der, 0, der.length);
  if (outer?.tag !== SEQUENCE) return undefined;
  const tbs = readTlv(der, outer.content, outer.end);
  if (tbs?.tag !== SEQUENCE) return undefined;
  // TBSCertificate: [0] version?, serialNumber, signature, issuer, validity, subject, publicKey, …, [3] extensions?
  const fields = readFields(der, tbs, MAX_FIELDS);
  const first = fields[0]?.tag === VERSION ? 1 : 0;
  const [issuer, , subject, publicKey, ...optional] = fields.slice(first + 2);
  if (issuer?.tag !== SEQUENCE || subject?.tag !== SEQUENCE || publicKey?.tag !== SEQUENCE) return undefined;
  const bytesOf = ({ start, end }: Tlv) => der.subarray(start, end);
  const [algorithm] = readFields(der, publicKey, 1);
  const [identifier, parameters] = algorithm === undefined ? [] : readFields(der, algorithm, 2);
  return {
    issuer: bytesOf(issuer),
    subject: bytesOf(subject),
    keyAlgorithm: [identifier && bytesOf(identifier), parameters && bytesOf(parameters)],
    extension: (id) => findExtension(der, optional.at(-1), id),
  };
}

/** Whether subject and issuer of a certificate are the same name (RFC 5280 §3.2: self-issued). */
export function isSelfIssued(certificate: Uint8Array): boolean {
  const fields = splitCertificate(certificate);
  return fields !== undefined && sameBytes(fields.issuer, fields.subject);
}

/** `[3] EXPLICIT SEQUENCE OF SEQUENCE { OBJECT IDENTIFIER, … }` */
function findExtension(der: Uint8Array, field: Tlv | undefined, wanted: string): Uint8Array | undefined {
  if (field?.tag !== EXTENSIONS) return undefined;
  const list = readTlv(der, field.content, field.end);
  if (list === undefined) return undefined;
  const found = readFields(der, list, MAX_FIELDS).find((extension) => {
    const id = readTlv(der, extension.content, extension.end);
    return id !== undefined && Buffer.from(der.subarray(id.content, id.end)).toString("hex") === wanted;
  });
  return found && der.subarray(found.start, found.end);
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
