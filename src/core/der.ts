/** The little of DER that has to be exact or fast: the fields of certificates and revocation lists as the bytes they are. */

/** One tag, length and value, by offsets into the bytes it was read from. */
export interface Tlv {
  readonly tag: number;
  /** Offset of the tag. */
  readonly start: number;
  /** Offset of the content. */
  readonly content: number;
  /** Offset after the content. */
  readonly end: number;
}

/** Universal tags (X.690 §8.1). */
const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const SEQUENCE = 0x30;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
/** More than any real certificate has of fields or of extensions. */
const MAX_FIELDS = 256;
/** A longer identifier is nobody's. Its numbers may be of any size, and the time to write them down grows with the square. */
const MAX_IDENTIFIER_BYTES = 128;

/** An algorithm: its object identifier, and its parameters where it has any, each with tag and length (RFC 5280 §4.1.1.2). */
export type Algorithm = readonly [identifier: Uint8Array | undefined, parameters: Uint8Array | undefined];

/** One extension (RFC 5280 §4.2). */
export interface ExtensionFields {
  /** The content of its object identifier, in hexadecimal: `551d11`. */
  readonly id: string;
  readonly isCritical: boolean;
  /** All of it. */
  readonly der: Uint8Array;
  /** What is in its OCTET STRING. */
  readonly value: Uint8Array;
}

/** Fields of a certificate (RFC 5280 §4.1), each with its tag and length where nothing else is said. */
export interface CertificateFields {
  /** As it is written: 0 for version 1. */
  readonly version: number;
  /** The content of the INTEGER. */
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** The algorithm of the public key. */
  readonly keyAlgorithm: Algorithm;
  /** By which it is signed. */
  readonly signatureAlgorithm: Algorithm;
  /** In their order; undefined where they cannot be told apart. */
  extensions(): readonly ExtensionFields[] | undefined;
}

/** Takes a certificate apart; undefined where it is none. Whether it is well-formed is for the checks to say. */
export function splitCertificate(der: Uint8Array): CertificateFields | undefined {
  const outer = readTlv(der, 0, der.length);
  if (outer?.tag !== SEQUENCE) return undefined;
  const [tbs, signatureAlgorithm] = readFields(der, outer, 2);
  if (tbs?.tag !== SEQUENCE) return undefined;
  // TBSCertificate: [0] version?, serialNumber, signature, issuer, validity, subject, publicKey, …, [3] extensions?
  const fields = readFields(der, tbs, MAX_FIELDS);
  const first = fields[0]?.tag === VERSION ? 1 : 0;
  const [serial, , issuer, , subject, publicKey, ...optional] = fields.slice(first);
  if (serial === undefined || issuer?.tag !== SEQUENCE || subject?.tag !== SEQUENCE) return undefined;
  if (publicKey?.tag !== SEQUENCE) return undefined;
  const [keyAlgorithm] = readFields(der, publicKey, 1);
  return {
    version: first === 1 ? (der[(fields[0]?.end ?? 0) - 1] ?? 0) : 0,
    serial: contentOf(der, serial),
    issuer: bytesOf(der, issuer),
    subject: bytesOf(der, subject),
    keyAlgorithm: readAlgorithm(der, keyAlgorithm),
    signatureAlgorithm: readAlgorithm(der, signatureAlgorithm),
    extensions: () => {
      const last = optional.at(-1);
      return last?.tag === EXTENSIONS ? readExtensions(der, last) : [];
    },
  };
}

/** Whether subject and issuer of a certificate are the same name (RFC 5280 §3.2: self-issued). */
export function isSelfIssued(certificate: Uint8Array): boolean {
  const fields = splitCertificate(certificate);
  return fields !== undefined && sameBytes(fields.issuer, fields.subject);
}

/** `[n] EXPLICIT SEQUENCE OF Extension`; undefined where it is not that, or far too long. */
export function readExtensions(bytes: Uint8Array, field: Tlv): ExtensionFields[] | undefined {
  const list = readTlv(bytes, field.content, field.end);
  if (list?.tag !== SEQUENCE) return undefined;
  const elements = readFields(bytes, list, MAX_FIELDS);
  if ((elements.at(-1)?.end ?? list.content) !== list.end) return undefined;
  const extensions = elements.map((element) => readExtension(bytes, element));
  return extensions.every((extension) => extension !== undefined) ? extensions : undefined;
}

/** `Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }` */
function readExtension(bytes: Uint8Array, element: Tlv): ExtensionFields | undefined {
  const [id, ...rest] = readFields(bytes, element, 3);
  const critical = rest[0]?.tag === BOOLEAN ? rest.shift() : undefined;
  const [value] = rest;
  if (id?.tag !== OBJECT_IDENTIFIER || value?.tag !== OCTET_STRING) return undefined;
  return {
    id: hexOf(contentOf(bytes, id)),
    isCritical: critical !== undefined && bytes[critical.content] !== 0,
    der: bytesOf(bytes, element),
    value: contentOf(bytes, value),
  };
}

/** `AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }` */
export function readAlgorithm(bytes: Uint8Array, element: Tlv | undefined): Algorithm {
  const [identifier, parameters] = element === undefined ? [] : readFields(bytes, element, 2);
  return [identifier && bytesOf(bytes, identifier), parameters && bytesOf(bytes, parameters)];
}

/** Dotted text of an object identifier, given as its content (X.690 §8.19): `2.5.29.17`. One that is no real one is measured. */
export function dottedText(content: Uint8Array): string {
  if (content.length > MAX_IDENTIFIER_BYTES) return `an identifier of ${content.length} bytes`;
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of content) {
    number = (number << 7n) | BigInt(byte & 0x7f);
    if (byte & 0x80) continue;
    numbers.push(number);
    number = 0n;
  }
  const [joint = 0n, ...rest] = numbers;
  const first = joint < 80n ? joint / 40n : 2n;
  return [first, joint - first * 40n, ...rest].join(".");
}

/** Whether two byte strings are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Lower-case hexadecimal. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** All of an element. */
export function bytesOf(bytes: Uint8Array, { start, end }: Tlv): Uint8Array {
  return bytes.subarray(start, end);
}

/** What is in an element. */
export function contentOf(bytes: Uint8Array, { content, end }: Tlv): Uint8Array {
  return bytes.subarray(content, end);
}

/** The elements within one, up to so many; ends where something is none. */
export function readFields(bytes: Uint8Array, parent: Tlv, most: number): Tlv[] {
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
export function readTlv(bytes: Uint8Array, at: number, limit: number): Tlv | undefined {
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
