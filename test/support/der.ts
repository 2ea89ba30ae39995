/** Certificates written byte by byte, for keys and names that a certificate library would not make. */
import { type KeyObject, randomBytes, sign } from "node:crypto";
import { writePem } from "../../src/core/pem.ts";

/** What a certificate says. */
export interface CertificateWish {
  /** Parts of the name in the order of the certificate: `[["C", "US"], ["CN", "leaf"]]`. */
  readonly subject: readonly (readonly [keyof typeof NAME_TYPES, string])[];
  /** Left out: self-signed. */
  readonly issuer?: CertificateWish["subject"];
  readonly publicKey: KeyObject;
  /** The content of its INTEGER. */
  readonly serial?: Buffer;
  readonly signingKey: KeyObject;
}

/** OBJECT IDENTIFIERs, encoded (RFC 5280, RFC 5758). */
const NAME_TYPES = { C: "550406", O: "55040a", OU: "55040b", CN: "550403" } as const;
const ECDSA_WITH_SHA256 = "2a8648ce3d040302";
const SHA256_WITH_RSA = "2a864886f70d01010b";
const ED25519 = "2b6570";

/** A certificate of version 3 without extensions, as PEM. */
export function writeCertificate(wish: CertificateWish): string {
  const { subject, issuer = subject, publicKey, signingKey } = wish;
  const { serial = Buffer.concat([Buffer.from([0x01]), randomBytes(8)]) } = wish;
  const algorithm = algorithmOf(signingKey);
  const body = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    nameOf(issuer),
    sequence(utcTime("250101000000Z"), utcTime("491231235959Z")),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
  );
  const hash = signingKey.asymmetricKeyType === "ed25519" ? null : "sha256";
  const signature = tlv(0x03, Buffer.from([0]), sign(hash, body, signingKey));
  return writePem("CERTIFICATE", sequence(body, algorithm, signature));
}

function algorithmOf({ asymmetricKeyType }: KeyObject): Buffer {
  if (asymmetricKeyType === "ed25519") return sequence(oid(ED25519));
  if (asymmetricKeyType === "rsa") return sequence(oid(SHA256_WITH_RSA), tlv(0x05));
  return sequence(oid(ECDSA_WITH_SHA256));
}

function nameOf(parts: CertificateWish["subject"]): Buffer {
  return sequence(
    ...parts.map(([type, value]) =>
      tlv(0x31, sequence(oid(NAME_TYPES[type]), tlv(0x0c, Buffer.from(value)))),
    ),
  );
}

function sequence(...content: readonly Buffer[]): Buffer {
  return tlv(0x30, ...content);
}

function integer(bytes: Buffer): Buffer {
  return tlv(0x02, bytes);
}

function oid(encoded: string): Buffer {
  return tlv(0x06, Buffer.from(encoded, "hex"));
}

function utcTime(text: string): Buffer {
  return tlv(0x17, Buffer.from(text));
}

/** Tag, length and value (X.690 §8.1). */
function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const value = Buffer.concat(content);
  const length = value.length < 0x80 ? [value.length] : [0x82, value.length >> 8, value.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}
