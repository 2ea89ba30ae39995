/** Certificates and revocation lists that say whatever a test asks for, right or wrong. */
import "reflect-metadata";
import {
  constants,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  type SignKeyObjectInput,
  sign,
} from "node:crypto";
import { writePem } from "../../src/core/pem.ts";
import { explicit, integer, oid, sequence, tlv } from "./asn1.ts";
import { type ExtensionWish, extensionOf, extensionsOf, keyIdOf } from "./mint-extensions.ts";

/** A key with its public half. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A certificate, with what is needed to issue by it and to revoke it. */
export interface Minted {
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyPair;
  /** DER of the names. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** The content of the INTEGER. */
  readonly serial: Buffer;
  /** PKCS#8 PEM. */
  readonly keyPem: string;
}

/** A hash, or `pss-` and a hash for RSASSA-PSS. */
type Hash = keyof typeof RSA_SIGNATURES | "pss-sha1" | "pss-sha256" | "pss-sha384";

/** What a certificate is to be like: by default a good leaf for `inference.local`, valid for 30 days. */
export interface Wish extends ExtensionWish {
  /** Common name; an empty one gives an empty name. */
  readonly subject?: string;
  readonly key?: KeyPair;
  /** Left out: it signs itself. */
  readonly issuer?: Minted;
  /** From now, in days. */
  readonly from?: number;
  readonly until?: number;
  /** Hexadecimal content of the INTEGER. */
  readonly serial?: string;
  /** Version 1 has no extensions. */
  readonly version?: 1 | 3;
  readonly hash?: Hash;
  /** Tag of the strings in its names: UTF8String, where it is not PrintableString (0x13). */
  readonly nameTag?: number;
  /** Signs in place of the issuer. */
  readonly signer?: KeyPair;
  /** Whether the signature is damaged. */
  readonly isDamaged?: boolean;
}

/** What a revocation list is to be like: by default empty, of now and for a week. */
export interface CrlWish {
  readonly issuer: Minted;
  readonly revoked?: readonly Minted[];
  /** From now, in days. */
  readonly from?: number;
  readonly until?: number | null;
  readonly signer?: KeyPair;
  /** Further extensions, whole. */
  readonly extra?: readonly Buffer[];
  /** Its authority key identifier, in hexadecimal; null for none. */
  readonly keyId?: string | null;
}

const DAY_MS = 86_400_000;
const RSA_SIGNATURES = {
  md5: "1.2.840.113549.1.1.4",
  sha1: "1.2.840.113549.1.1.5",
  sha224: "1.2.840.113549.1.1.14",
  sha256: "1.2.840.113549.1.1.11",
  sha384: "1.2.840.113549.1.1.12",
  sha512: "1.2.840.113549.1.1.13",
} as const;
const ECDSA_SIGNATURES: Readonly<Record<string, string>> = {
  sha1: "1.2.840.10045.4.1",
  sha256: "1.2.840.10045.4.3.2",
  sha384: "1.2.840.10045.4.3.3",
  sha512: "1.2.840.10045.4.3.4",
};
const HASHES: Readonly<Record<string, string>> = {
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
};
const OF_THEIR_OWN: Readonly<Record<string, string>> = { ed25519: "1.3.101.112", ed448: "1.3.101.113" };

/** A fresh key on P-256, or on another curve. */
export function ecKey(namedCurve = "P-256"): KeyPair {
  return generateKeyPairSync("ec", { namedCurve });
}

/** A fresh RSA key. */
export function rsaKey(modulusLength = 2048, publicExponent = 65_537): KeyPair {
  return generateKeyPairSync("rsa", { modulusLength, publicExponent });
}

/** Makes a certificate. */
export function mint(wish: Wish = {}): Minted {
  const { subject: text = "inference.local", key = ecKey(), issuer, version = 3 } = wish;
  const subject = nameOf(text, wish.nameTag);
  const serial = Buffer.from(wish.serial ?? `4f${randomBytes(8).toString("hex")}`, "hex");
  const own = { key, subject, issuer: issuer?.subject ?? subject, serial };
  const body = (algorithm: Buffer) =>
    sequence(
      ...(version === 3 ? [explicit(0, integer(2))] : []),
      tlv(0x02, serial),
      algorithm,
      own.issuer,
      sequence(timeOf(wish.from ?? -1), timeOf(wish.until ?? 30)),
      subject,
      key.publicKey.export({ type: "spki", format: "der" }),
      ...(version === 3 ? [explicit(3, sequence(...extensionsOf(wish, own, issuer ?? own)))] : []),
    );
  const der = signed(body, (wish.signer ?? issuer?.key ?? key).privateKey, wish.hash);
  if (wish.isDamaged) der[der.length - 1] = (der.at(-1) ?? 0) ^ 0xff;
  const keyPem = String(key.privateKey.export({ type: "pkcs8", format: "pem" }));
  return { ...own, der, pem: writePem("CERTIFICATE", der), keyPem };
}

/** Makes an authority: a root where it has no issuer. */
export function mintAuthority(subject: string, wish: Wish = {}): Minted {
  return mint({ subject, until: 365, ca: true, ...wish });
}

/** Makes a revocation list, as PEM. */
export function mintCrl({ issuer, revoked = [], from = -1, until = 7, ...wish }: CrlWish): string {
  const keyId = wish.keyId === undefined ? keyIdOf(issuer.key) : wish.keyId;
  const extensions = [
    ...(keyId === null ? [] : [extensionOf("2.5.29.35", sequence(tlv(0x80, Buffer.from(keyId, "hex"))))]),
    extensionOf("2.5.29.20", integer(1)),
    ...(wish.extra ?? []),
  ];
  const entries = revoked.map(({ serial }) => sequence(tlv(0x02, serial), timeOf(-2)));
  const body = (algorithm: Buffer) =>
    sequence(
      integer(1),
      algorithm,
      issuer.subject,
      timeOf(from),
      ...(until === null ? [] : [timeOf(until)]),
      ...(entries.length === 0 ? [] : [sequence(...entries)]),
      explicit(0, sequence(...extensions)),
    );
  return writePem("X509 CRL", signed(body, (wish.signer ?? issuer.key).privateKey));
}

function signed(body: (algorithm: Buffer) => Buffer, key: KeyObject, hash?: Hash): Buffer {
  const { algorithm, digest, options } = signatureOf(key, hash);
  const content = body(algorithm);
  const signature = sign(digest, content, { key, ...options });
  return sequence(content, algorithm, tlv(0x03, Buffer.from([0]), signature));
}

interface Signature {
  readonly algorithm: Buffer;
  readonly digest: string | null;
  readonly options?: Partial<SignKeyObjectInput>;
}

function signatureOf({ asymmetricKeyType: type, asymmetricKeyDetails }: KeyObject, hash?: Hash): Signature {
  const own = type === undefined ? undefined : OF_THEIR_OWN[type];
  if (own !== undefined) return { algorithm: sequence(oid(own)), digest: null };
  if (type === "rsa-pss" || hash?.startsWith("pss-")) return pssOf(hash?.slice("pss-".length) ?? "sha256");
  if (type === "rsa") {
    const digest = (hash ?? "sha256") as keyof typeof RSA_SIGNATURES;
    return { algorithm: sequence(oid(RSA_SIGNATURES[digest]), tlv(0x05)), digest };
  }
  if (type === "dsa") return { algorithm: sequence(oid("2.16.840.1.101.3.4.3.2")), digest: "sha256" };
  const { namedCurve } = asymmetricKeyDetails ?? {};
  const fitting = { secp384r1: "sha384", secp521r1: "sha512" }[namedCurve ?? ""] ?? "sha256";
  const digest = hash ?? fitting;
  return { algorithm: sequence(oid(ECDSA_SIGNATURES[digest] ?? "")), digest };
}

/** RSASSA-PSS (RFC 8017 Appendix A.2.3); with SHA-1 all parameters are left out, which means SHA-1. */
function pssOf(digest: string): Signature {
  const saltLength = digest === "sha1" ? 20 : 32;
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  const pss = oid("1.2.840.113549.1.1.10");
  if (digest === "sha1") return { algorithm: sequence(pss, sequence()), digest, options };
  const hash = sequence(oid(HASHES[digest] ?? ""), tlv(0x05));
  const mask = sequence(oid("1.2.840.113549.1.1.8"), hash);
  const parameters = sequence(explicit(0, hash), explicit(1, mask), explicit(2, integer(saltLength)));
  return { algorithm: sequence(pss, parameters), digest, options };
}

function nameOf(text: string, tag = 0x0c): Buffer {
  if (text === "") return sequence();
  return sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(tag, Buffer.from(text)))));
}

function timeOf(days: number): Buffer {
  const text = new Date(Date.now() + days * DAY_MS).toISOString().replace(/[-:T]|\.\d+/g, "");
  return Number(text.slice(0, 4)) < 2050
    ? tlv(0x17, Buffer.from(text.slice(2)))
    : tlv(0x18, Buffer.from(text));
}
