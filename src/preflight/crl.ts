/**
 * Reads certificate revocation lists (RFC 5280 §5).
 *
 * From their bytes, in place: a list may have tens of thousands of entries, and a library that makes objects of them
 * would stop the daemon for seconds.
 */
import type { KeyObject } from "node:crypto";
import {
  BIT_STRING,
  bytesOf,
  contentOf,
  hexOf,
  INTEGER,
  readAlgorithm,
  readExtensions,
  readFields,
  readTlv,
  SEQUENCE,
  sameBytes,
  type Tlv,
} from "../core/der.ts";
import { messageOf } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";
import { isSignatureOf, type SignatureFacts, signatureOf } from "./algorithms.ts";
import { authorityKeyOf } from "./extensions.ts";

/** A revocation list that could be read. */
export interface CrlFacts {
  readonly der: Uint8Array;
  readonly where: string;
  /** DER of the name. */
  readonly issuerDer: Uint8Array;
  readonly thisUpdate: Date;
  /** Undefined where the list does not say when the next one comes. */
  readonly nextUpdate: Date | undefined;
  /** Hexadecimal. */
  readonly authorityKeyId: string | undefined;
  /** What it is a list of, where that is not everything (§5.2.5): hexadecimal, only to tell lists apart. */
  readonly scope: string;
  /** Whether it has only what changed since another list (§5.2.4): services do not use those. */
  readonly isDelta: boolean;
  readonly signature: SignatureFacts;
  /** Whether a serial number, given as the content of its INTEGER, is on the list. */
  revokes(serial: Uint8Array): boolean;
  /** Whether this key signed it. Throws nothing. */
  isSignedBy(key: KeyObject): boolean;
}

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const EXTENSIONS = 0xa0;
/** Object identifiers below 2.5.29. */
const DELTA_INDICATOR = "551d1b";
const ISSUING_DISTRIBUTION_POINT = "551d1c";
const AUTHORITY_KEY_ID = "551d23";

/** Reads a list; `where` is for the message. */
export function readCrl(der: Uint8Array, where: string): CrlFacts | Problem {
  try {
    return factsOf(der, where);
  } catch (thrown) {
    const message = `${where}: this is not a revocation list that can be read: ${messageOf(thrown)}; put it again`;
    return { code: "CRL_UNREADABLE", message };
  }
}

/** `CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signature BIT STRING }` */
function factsOf(der: Uint8Array, where: string): CrlFacts {
  const outer = readTlv(der, 0, der.length);
  if (outer?.tag !== SEQUENCE || outer.end !== der.length) throw new Error("it is no single SEQUENCE");
  const [tbs, algorithm, bits] = readFields(der, outer, 3);
  if (tbs?.tag !== SEQUENCE || algorithm?.tag !== SEQUENCE || bits?.tag !== BIT_STRING) throw strange();
  // No bit of the last byte is unused; and the algorithm stands inside of what is signed too (§5.1.1.2).
  if (der[bits.content] !== 0) throw strange();
  const { extensions: field, revoked, algorithm: inner, ...list } = splitList(der, tbs);
  if (!sameBytes(bytesOf(der, algorithm), inner)) throw new Error("it names two signature algorithms");
  const extensions = field === undefined ? [] : readExtensions(der, field);
  if (extensions === undefined) throw new Error("its extensions are none");
  const byId = (id: string) => extensions.find((extension) => extension.id === id);
  const authority = byId(AUTHORITY_KEY_ID);
  const signature = signatureOf(readAlgorithm(der, algorithm));
  const [signed, value] = [bytesOf(der, tbs), contentOf(der, bits).subarray(1)];
  const signers = new WeakMap<KeyObject, boolean>();
  return {
    der,
    where,
    ...list,
    authorityKeyId: authority && authorityKeyOf(authority).keyId,
    scope: hexOf(byId(ISSUING_DISTRIBUTION_POINT)?.value ?? new Uint8Array()),
    isDelta: byId(DELTA_INDICATOR) !== undefined,
    signature,
    revokes: (serial) => revoked !== undefined && hasSerial(der, revoked, serial),
    isSignedBy: (key) => {
      const known = signers.get(key) ?? isSignatureOf(key, signature, signed, value);
      signers.set(key, known);
      return known;
    },
  };
}

interface ListFields extends Pick<CrlFacts, "issuerDer" | "thisUpdate" | "nextUpdate"> {
  readonly algorithm: Uint8Array;
  readonly revoked: Tlv | undefined;
  readonly extensions: Tlv | undefined;
}

/** `SEQUENCE { version INTEGER?, signature, issuer, thisUpdate, nextUpdate?, revokedCertificates SEQUENCE?, [0]? }` */
function splitList(der: Uint8Array, tbs: Tlv): ListFields {
  const fields = readFields(der, tbs, 8);
  if (fields.at(-1)?.end !== tbs.end) throw strange();
  const take = (...tags: readonly number[]) =>
    tags.includes(fields[0]?.tag ?? 0) ? fields.shift() : undefined;
  take(INTEGER);
  const [algorithm, issuer, began] = [take(SEQUENCE), take(SEQUENCE), take(UTC_TIME, GENERALIZED_TIME)];
  const next = take(UTC_TIME, GENERALIZED_TIME);
  const [revoked, extensions] = [take(SEQUENCE), take(EXTENSIONS)];
  if (algorithm === undefined || issuer === undefined || began === undefined) throw strange();
  if (fields.length > 0) throw strange();
  if (revoked !== undefined) checkEntries(der, revoked);
  return {
    algorithm: bytesOf(der, algorithm),
    issuerDer: bytesOf(der, issuer),
    thisUpdate: readTime(der, began),
    nextUpdate: next && readTime(der, next),
    revoked,
    extensions,
  };
}

/** `SEQUENCE OF SEQUENCE { userCertificate INTEGER, revocationDate, … }` */
function* serialsOf(der: Uint8Array, revoked: Tlv): Generator<Tlv> {
  for (let at = revoked.content; at < revoked.end; ) {
    const entry = readTlv(der, at, revoked.end);
    const serial = entry && readTlv(der, entry.content, entry.end);
    if (entry?.tag !== SEQUENCE || serial?.tag !== INTEGER) throw new Error("its entries are none");
    yield serial;
    at = entry.end;
  }
}

function checkEntries(der: Uint8Array, revoked: Tlv): void {
  for (const serial of serialsOf(der, revoked)) void serial;
}

function hasSerial(der: Uint8Array, revoked: Tlv, wanted: Uint8Array): boolean {
  for (const serial of serialsOf(der, revoked)) {
    const isSameLength = serial.end - serial.content === wanted.length;
    if (isSameLength && sameBytes(contentOf(der, serial), wanted)) return true;
  }
  return false;
}

/** `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280 §4.1.2.5). */
function readTime(der: Uint8Array, field: Tlv): Date {
  const text = Buffer.from(contentOf(der, field)).toString("latin1");
  const isShort = field.tag === UTC_TIME;
  const full = isShort ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const date = new Date(full.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (Number.isNaN(date.getTime())) throw new Error("its times are none");
  return date;
}

function strange(): Error {
  return new Error("its fields are not those of RFC 5280 §5.1");
}
