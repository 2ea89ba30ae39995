/**
 * Takes a PKCS#12 file (RFC 7292) apart: its private keys, certificates and revocation lists, whatever their names.
 *
 * It is taken apart here because no function of Node does it; every cipher, hash and key of a passphrase is OpenSSL's.
 */
import { messageOf, systemCodeOf } from "../../core/errors.ts";
import {
  childrenOf,
  type Element,
  expected,
  identifierOf,
  octetsOf,
  onlyChildOf,
  readElement,
} from "./ber.ts";
import { decrypt, type Passphrase } from "./decrypt.ts";
import { macFits } from "./mac.ts";
import type { OpenReply, Refusal } from "./messages.ts";
import { toBmpString } from "./pkcs12-key.ts";
import { type Scheme, schemeOf } from "./scheme.ts";

/** Types of content (RFC 5652). */
const DATA = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA = "1.2.840.113549.1.7.6";
/** Types of bags (RFC 7292 §4.2), and of what a certificate bag and a CRL bag hold. */
const BAGS = {
  key: "1.2.840.113549.1.12.10.1.1",
  encryptedKey: "1.2.840.113549.1.12.10.1.2",
  certificate: "1.2.840.113549.1.12.10.1.3",
  crl: "1.2.840.113549.1.12.10.1.4",
  bags: "1.2.840.113549.1.12.10.1.6",
} as const;
const X509_CERTIFICATE = "1.2.840.113549.1.9.22.1";
const X509_CRL = "1.2.840.113549.1.9.23.1";

interface Found {
  readonly keys: Uint8Array[];
  readonly certificates: Uint8Array[];
  readonly crls: Uint8Array[];
  readonly schemes: Scheme[];
}

/** Opens a file; `passphrase` is null where it should need none. Never throws. */
export function openPkcs12(file: Uint8Array, passphrase: Uint8Array | null): OpenReply {
  try {
    const [, authenticated, mac] = childrenOf(readElement(file));
    const [type, content] = childrenOf(expected(authenticated));
    if (identifierOf(type) !== DATA) {
      return { kind: "unreadable", why: "it is signed, where one with a passphrase is expected" };
    }
    const safes = octetsOf(onlyChildOf(content));
    const right = formsOf(passphrase).find((form) => mac === undefined || macFits(mac, safes, form));
    return right === undefined ? { kind: "wrongPassphrase" } : openSafes(safes, right);
  } catch (thrown) {
    // The words of OpenSSL could quote what it read: only its code is passed on.
    return { kind: "unreadable", why: systemCodeOf(thrown) ?? messageOf(thrown) };
  }
}

/** An empty passphrase is taken in two ways, and each has programs that do so (RFC 7292 §B.1 and §B.2). */
function formsOf(passphrase: Uint8Array | null): readonly Passphrase[] {
  const utf8 = passphrase ?? new Uint8Array();
  const form = { utf8, bmp: toBmpString(utf8) };
  return utf8.length > 0 ? [form] : [form, { utf8, bmp: utf8 }];
}

function openSafes(content: Uint8Array, passphrase: Passphrase): OpenReply {
  const found: Found = { keys: [], certificates: [], crls: [], schemes: [] };
  const safes: Element[] = [];
  for (const safe of childrenOf(readElement(content))) {
    const opened = openSafe(safe, passphrase, found);
    if ("kind" in opened) return opened;
    safes.push(opened);
  }
  // Bags within bags are put at the end of the list, which the loop then comes to.
  for (const safe of safes) {
    for (const bag of childrenOf(safe)) {
      const refusal = takeBag(bag, passphrase, found, safes);
      if (refusal !== undefined) return refusal;
    }
  }
  const { keys, certificates, crls, schemes } = found;
  return {
    kind: "opened",
    keys: keys.map(toBase64),
    certificates: certificates.map(toBase64),
    crls: crls.map(toBase64),
    schemes,
  };
}

/** SafeContents out of one ContentInfo. */
function openSafe(safe: Element, passphrase: Passphrase, { schemes }: Found): Element | Refusal {
  const [identifier, content] = childrenOf(safe);
  const type = identifierOf(identifier);
  if (type === DATA) return readElement(octetsOf(onlyChildOf(content)));
  if (type !== ENCRYPTED_DATA) {
    return { kind: "unreadable", why: "it is encrypted to a public key, where a passphrase is expected" };
  }
  const [, encrypted] = childrenOf(onlyChildOf(content));
  const [, algorithm, data] = childrenOf(expected(encrypted));
  schemes.push(schemeOf(algorithm));
  const decrypted = decrypt(algorithm, octetsOf(data), passphrase);
  return typeof decrypted === "string" ? { kind: decrypted } : readElement(decrypted);
}

function takeBag(bag: Element, passphrase: Passphrase, found: Found, safes: Element[]): Refusal | undefined {
  const [identifier, explicit] = childrenOf(bag);
  const type = identifierOf(identifier);
  const value = onlyChildOf(explicit);
  if (type === BAGS.key) found.keys.push(value.whole);
  if (type === BAGS.certificate) found.certificates.push(...bagged(value, X509_CERTIFICATE));
  if (type === BAGS.crl) found.crls.push(...bagged(value, X509_CRL));
  if (type === BAGS.bags) safes.push(value);
  if (type !== BAGS.encryptedKey) return undefined;
  const [algorithm, data] = childrenOf(value);
  found.schemes.push(schemeOf(algorithm));
  const key = decrypt(algorithm, octetsOf(data), passphrase);
  if (typeof key === "string") return { kind: key };
  found.keys.push(key);
  return undefined;
}

/** `SEQUENCE { type, [0] EXPLICIT OCTET STRING }`; what is of another type is of no use here. */
function bagged(value: Element, wanted: string): Uint8Array[] {
  const [type, content] = childrenOf(value);
  return identifierOf(type) === wanted ? [octetsOf(onlyChildOf(content))] : [];
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
