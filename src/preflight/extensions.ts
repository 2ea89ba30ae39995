/** What the extensions of a certificate say, as far as the checks ask (RFC 5280 §4.2.1). */
import "reflect-metadata";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  GeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
} from "@peculiar/x509";
import type { AlternativeNames } from "../core/alternative-names.ts";
import {
  bytesOf,
  contentOf,
  type ExtensionFields,
  hexOf,
  OCTET_STRING,
  readFields,
  readTlv,
  SEQUENCE,
  type Tlv,
} from "../core/der.ts";

/** Which certificate signed this one: any of the two ways may be given (RFC 5280 §4.2.1.1). */
export interface AuthorityKey {
  /** Hexadecimal. */
  readonly keyId: string | undefined;
  /** DER of the name, and the content of the INTEGER. */
  readonly issuer: Uint8Array | undefined;
  readonly serial: Uint8Array | undefined;
}

/** The extensions that were read; undefined where the certificate has none of that kind. */
export interface Extensions {
  readonly names: AlternativeNames;
  readonly subjectKeyId: string | undefined;
  readonly authorityKey: AuthorityKey | undefined;
  readonly constraints: { readonly isCa: boolean; readonly pathLength: number | undefined } | undefined;
  /** Of {@link KEY_USAGES}. */
  readonly keyUsage: number | undefined;
  /** Object identifiers, dotted. */
  readonly extendedKeyUsage: readonly string[] | undefined;
}

/** Flags of a key usage (RFC 5280 §4.2.1.3). */
export const KEY_USAGES = {
  digitalSignature: KeyUsageFlags.digitalSignature,
  keyCertSign: KeyUsageFlags.keyCertSign,
  cRLSign: KeyUsageFlags.cRLSign,
} as const;
/** Object identifiers of extended key usages (RFC 5280 §4.2.1.12). */
export const EXTENDED_KEY_USAGES = {
  serverAuth: String(ExtendedKeyUsage.serverAuth),
  clientAuth: String(ExtendedKeyUsage.clientAuth),
} as const;

/** Object identifiers below 2.5.29, as they stand in DER. */
const IDS = {
  subjectKeyId: "551d0e",
  keyUsage: "551d0f",
  names: "551d11",
  basicConstraints: "551d13",
  authorityKeyId: "551d23",
  extendedKeyUsage: "551d25",
} as const;
/** Tags of GeneralName (RFC 5280 §4.2.1.6): the kinds that TLS compares. */
const NAMES_OF_TLS: readonly number[] = [0x82, 0x86, 0x87];
const DIRECTORY_NAME = 0xa4;

/** Reads the extensions. Throws an Error where one of them is not what RFC 5280 says, or is there twice (§4.2). */
export function readExtensionFacts(all: readonly ExtensionFields[]): Extensions {
  const byId = new Map(all.map((extension) => [extension.id, extension]));
  if (byId.size < all.length) throw new Error("an extension is there twice");
  const read = <T>(id: string, reader: (extension: ExtensionFields) => T): T | undefined => {
    const extension = byId.get(id);
    return extension && reader(extension);
  };
  return {
    names: read(IDS.names, namesOf) ?? { dnsNames: [], ipAddresses: [], uris: [] },
    subjectKeyId: read(IDS.subjectKeyId, subjectKeyIdOf),
    authorityKey: read(IDS.authorityKeyId, authorityKeyOf),
    constraints: read(IDS.basicConstraints, ({ der }) => {
      const { ca, pathLength } = new BasicConstraintsExtension(Buffer.from(der));
      return { isCa: ca, pathLength };
    }),
    keyUsage: read(IDS.keyUsage, ({ der }) => new KeyUsagesExtension(Buffer.from(der)).usages),
    extendedKeyUsage: read(IDS.extendedKeyUsage, ({ der }) =>
      new ExtendedKeyUsageExtension(Buffer.from(der)).usages.map(String),
    ),
  };
}

/** Names of other kinds are passed over: the library refuses an extension that has one it has no text for. */
function namesOf({ value }: ExtensionFields): AlternativeNames {
  const names = readSequence(value)
    .filter(({ tag }) => NAMES_OF_TLS.includes(tag))
    .map((name) => new GeneralName(Buffer.from(bytesOf(value, name))).toJSON());
  const ofType = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value);
  return { dnsNames: ofType("dns"), ipAddresses: ofType("ip"), uris: ofType("url") };
}

function subjectKeyIdOf({ value }: ExtensionFields): string {
  const octets = readTlv(value, 0, value.length);
  if (octets?.tag !== OCTET_STRING) throw new Error("its subject key identifier is none");
  return hexOf(contentOf(value, octets));
}

/**
 * Reads an AuthorityKeyIdentifier, of a certificate or a revocation list. Throws an Error where it is none.
 *
 * `SEQUENCE { keyIdentifier [0]?, authorityCertIssuer [1] GeneralNames?, authorityCertSerialNumber [2]? }`
 */
export function authorityKeyOf({ value }: ExtensionFields): AuthorityKey {
  const fields = readSequence(value);
  const content = (tag: number) => {
    const field = fields.find((one) => one.tag === tag);
    return field && contentOf(value, field);
  };
  const [keyId, serial] = [content(0x80), content(0x82)];
  const names = fields.find(({ tag }) => tag === 0xa1);
  const directory = names && readFields(value, names, 64).find(({ tag }) => tag === DIRECTORY_NAME);
  return { keyId: keyId && hexOf(keyId), serial, issuer: directory && contentOf(value, directory) };
}

function readSequence(value: Uint8Array): Tlv[] {
  const sequence = readTlv(value, 0, value.length);
  if (sequence?.tag !== SEQUENCE) throw new Error("one of its extensions is no list");
  return readFields(value, sequence, 10_000);
}
