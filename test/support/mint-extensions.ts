/** Extensions of minted certificates. */
import { createHash } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
} from "@peculiar/x509";
import { oid, sequence, tlv } from "./asn1.ts";
import type { KeyPair, Minted } from "./mint.ts";

/** What the extensions are to say; null leaves one out. */
export interface ExtensionWish {
  /** A number is the length of the path below it. */
  readonly ca?: boolean | number | null;
  readonly keyUsage?: KeyUsageFlags | null;
  /** `serverAuth`, `clientAuth`, or a dotted object identifier; of a leaf the first two where it is left out. */
  readonly uses?: readonly string[] | null;
  /** DNS names, IP addresses and URIs. */
  readonly names?: readonly string[] | null;
  /** How it says who issued it; hexadecimal is the key identifier of another. */
  readonly authority?: "keyId" | "serial" | "both" | "none" | `0x${string}`;
  /** Whether it says its own key identifier. */
  readonly hasKeyId?: boolean;
  /** Further extensions, whole. */
  readonly extra?: readonly Buffer[];
}

type Identity = Pick<Minted, "key" | "issuer" | "serial">;

const USES: Readonly<Record<string, string>> = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  any: "2.5.29.37.0",
};

/** Each extension, whole. */
export function extensionsOf(wish: ExtensionWish, own: Identity, issuer: Identity): Buffer[] {
  const { ca = false } = wish;
  const isLeaf = ca === false || ca === null;
  const keyUsage = isLeaf
    ? KeyUsageFlags.digitalSignature
    : KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;
  const uses = isLeaf ? ["serverAuth", "clientAuth"] : null;
  const names = isLeaf ? ["inference.local"] : null;
  return [
    ...(ca === null ? [] : [constraintsOf(ca)]),
    ...wished(wish.keyUsage, keyUsage, (flags) => new KeyUsagesExtension(flags, true)),
    ...wished(wish.uses, uses, (all) => new ExtendedKeyUsageExtension(all.map((use) => USES[use] ?? use))),
    ...wished(wish.names, names, namesOf),
    ...(wish.hasKeyId === false ? [] : [raw(new SubjectKeyIdentifierExtension(keyIdOf(own.key)))]),
    ...authorityOf(wish.authority ?? "keyId", issuer),
    ...(wish.extra ?? []),
  ];
}

function wished<T>(wish: T | null | undefined, usual: T | null, make: (value: T) => Extension): Buffer[] {
  const value = wish === undefined ? usual : wish;
  return value === null ? [] : [raw(make(value))];
}

function constraintsOf(ca: boolean | number): Buffer {
  const pathLength = typeof ca === "number" ? ca : undefined;
  return raw(new BasicConstraintsExtension(ca !== false, pathLength, true));
}

function namesOf(names: readonly string[]): Extension {
  const typeOf = (name: string) => (name.includes("://") ? "url" : /^[\d.]+$|:/.test(name) ? "ip" : "dns");
  return new SubjectAlternativeNameExtension(names.map((value) => ({ type: typeOf(value), value })));
}

/** RFC 5280 §4.2.1.1: the serial number is that of the issuer, and the name is of whoever issued the issuer. */
function authorityOf(how: NonNullable<ExtensionWish["authority"]>, issuer: Identity): Buffer[] {
  if (how === "none") return [];
  const isById = how !== "serial";
  const keyId = how.startsWith("0x") ? how.slice(2) : keyIdOf(issuer.key);
  const name = tlv(0xa1, tlv(0xa4, issuer.issuer));
  return [
    extensionOf(
      "2.5.29.35",
      sequence(
        ...(isById ? [tlv(0x80, Buffer.from(keyId, "hex"))] : []),
        ...(how === "serial" || how === "both" ? [name, tlv(0x82, issuer.serial)] : []),
      ),
    ),
  ];
}

function raw(extension: Extension): Buffer {
  return Buffer.from(extension.rawData);
}

/** An extension by its dotted object identifier and the content of its OCTET STRING. */
export function extensionOf(id: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [tlv(0x01, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...critical, tlv(0x04, value));
}

/** The key identifier as RFC 5280 §4.2.1.2 (1) makes it, near enough: SHA-1 over the whole key. */
export function keyIdOf({ publicKey }: KeyPair): string {
  return createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}
