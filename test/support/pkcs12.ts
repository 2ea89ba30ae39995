/** PKCS#12 files written byte by byte, in the ways that programs have of writing them (RFC 7292). */
import { createHmac, type KeyObject, pbkdf2Sync, randomBytes } from "node:crypto";
import { deriveKey, type Hash, PURPOSES, toBmpString } from "../../src/preflight/locked/pkcs12-key.ts";
import { derOf, explicit, integer, octets, oid, openEnded, piecesOf, sequence, tlv } from "./asn1.ts";
import { encrypt, HMAC_SHA256, type Lock, pbkdf2, type SchemeName } from "./encryption.ts";

/** What a file is to hold, and how. */
export interface Pkcs12Wish {
  readonly keys?: readonly KeyObject[];
  /** PEM. */
  readonly certificates?: readonly string[];
  /** DER. */
  readonly crls?: readonly Uint8Array[];
  readonly passphrase?: string;
  /** Null for what is not encrypted. */
  readonly keyScheme?: SchemeName | null;
  readonly certificateScheme?: SchemeName | null;
  /** The code over the file: by a hash, by PBMAC1 (RFC 9579), or none. */
  readonly mac?: Hash | "pbmac1" | null;
  readonly iterations?: number;
  /** Lengths left open and strings in pieces, as browsers write them. */
  readonly inPieces?: boolean;
  /** An empty passphrase as no bytes at all, as .NET writes it. */
  readonly emptyIsNothing?: boolean;
  /** The key within bags within bags. */
  readonly nested?: boolean;
}

const HASH_IDS = {
  sha1: "1.3.14.3.2.26",
  sha224: "2.16.840.1.101.3.4.2.4",
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3",
} as const;
const HASH_BYTES = { sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 } as const;

const DATA = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA = "1.2.840.113549.1.7.6";
const NULL = tlv(0x05);

/** Writes a file; what is left out of the wish is as OpenSSL 3 writes it. */
export function writePkcs12(wish: Pkcs12Wish): Buffer {
  const { keyScheme = "aes-256-cbc", certificateScheme = "aes-256-cbc", mac = "sha256" } = wish;
  const writer = new Writer(wish);
  const keys = (wish.keys ?? []).map((key) => writer.keyBag(key, keyScheme));
  const others = [
    ...(wish.certificates ?? []).map((pem) => valueBag("3", "1.2.840.113549.1.9.22.1", derOf(pem))),
    ...(wish.crls ?? []).map((der) => valueBag("4", "1.2.840.113549.1.9.23.1", Buffer.from(der))),
  ];
  const bags = wish.nested ? [sequence(bagId("6"), explicit(0, sequence(...keys)))] : keys;
  const safes = sequence(
    ...(others.length > 0 ? [writer.safe(sequence(...others), certificateScheme)] : []),
    ...(bags.length > 0 ? [writer.safe(sequence(...bags), null)] : []),
  );
  const guard = mac === null ? [] : [mac === "pbmac1" ? writer.pbmac1(safes) : writer.mac(safes, mac)];
  return sequence(integer(3), sequence(oid(DATA), explicit(0, writer.string(safes))), ...guard);
}

class Writer {
  readonly #lock: Lock;
  readonly #inPieces: boolean;

  constructor({ passphrase = "", iterations = 2_048, inPieces = false, emptyIsNothing }: Pkcs12Wish) {
    const utf8 = Buffer.from(passphrase);
    this.#lock = { utf8, bmp: emptyIsNothing ? Buffer.alloc(0) : toBmpString(utf8), iterations };
    this.#inPieces = inPieces;
  }

  string(bytes: Buffer, tag = 0x04): Buffer {
    return this.#inPieces ? openEnded(tag | 0x20, ...piecesOf(bytes)) : tlv(tag, bytes);
  }

  keyBag(key: KeyObject, scheme: SchemeName | null): Buffer {
    const der = key.export({ type: "pkcs8", format: "der" });
    if (scheme === null) return sequence(bagId("1"), explicit(0, der));
    const { algorithm, data } = encrypt(der, scheme, this.#lock);
    const name = tlv(0x1e, Buffer.from("name", "utf16le").swap16());
    const attributes = tlv(0x31, sequence(oid("1.2.840.113549.1.9.20"), tlv(0x31, name)));
    return sequence(bagId("2"), explicit(0, sequence(algorithm, octets(data))), attributes);
  }

  safe(contents: Buffer, scheme: SchemeName | null): Buffer {
    if (scheme === null) return sequence(oid(DATA), explicit(0, this.string(contents)));
    const { algorithm, data } = encrypt(contents, scheme, this.#lock);
    const encrypted = sequence(oid(DATA), algorithm, this.string(data, 0x80));
    return sequence(oid(ENCRYPTED_DATA), explicit(0, sequence(integer(0), encrypted)));
  }

  mac(safes: Buffer, hash: Hash): Buffer {
    const { bmp: passphrase, iterations } = this.#lock;
    const salt = randomBytes(8);
    const how = { hash, purpose: PURPOSES.mac, passphrase, salt, iterations };
    const code = createHmac(hash, deriveKey(how, HASH_BYTES[hash])).update(safes).digest();
    const digest = sequence(sequence(oid(HASH_IDS[hash]), NULL), octets(code));
    // The number of iterations may be left out where it is 1.
    return sequence(digest, octets(salt), ...(iterations === 1 ? [] : [integer(iterations)]));
  }

  pbmac1(safes: Buffer): Buffer {
    const salt = randomBytes(16);
    const key = pbkdf2Sync(this.#lock.utf8, salt, this.#lock.iterations, 32, "sha256");
    const code = createHmac("sha256", key).update(safes).digest();
    const hmac = sequence(oid(HMAC_SHA256), NULL);
    const algorithm = sequence(
      oid("1.2.840.113549.1.5.14"),
      sequence(pbkdf2(salt, this.#lock, integer(32)), hmac),
    );
    return sequence(sequence(algorithm, octets(code)), octets(Buffer.from("NOT USED")), integer(1));
  }
}

function bagId(last: string): Buffer {
  return oid(`1.2.840.113549.1.12.10.1.${last}`);
}

function valueBag(bag: string, type: string, der: Buffer): Buffer {
  return sequence(bagId(bag), explicit(0, sequence(oid(type), explicit(0, octets(der)))));
}
