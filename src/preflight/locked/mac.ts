/** The code that shows a PKCS#12 file to be whole, and its passphrase to be right (RFC 7292 §5.1, RFC 9579). */
import { createHmac, timingSafeEqual } from "node:crypto";
import { childrenOf, type Element, expected, identifierOf, octetsOf } from "./ber.ts";
import type { Passphrase } from "./decrypt.ts";
import { derivePbkdf2, hmacHashOf, iterationsOf } from "./pbkdf2.ts";
import { deriveKey, type Hash, PURPOSES } from "./pkcs12-key.ts";

/** PBMAC1 (RFC 8018 §7.1), in place of a hash. */
const PBMAC1 = "1.2.840.113549.1.5.14";
const HASHES: ReadonlyMap<string, Hash> = new Map([
  ["1.3.14.3.2.26", "sha1"],
  ["2.16.840.1.101.3.4.2.4", "sha224"],
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);
const HASH_BYTES = { sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 } as const;

/** Whether `mac`, a MacData, is that of the content. Throws an Error where it is damaged or not known. */
export function macFits(mac: Element, content: Uint8Array, passphrase: Passphrase): boolean {
  const [digestInfo, salt, iterations] = childrenOf(mac);
  const [algorithm, digest] = childrenOf(expected(digestInfo));
  const [identifier, parameters] = childrenOf(expected(algorithm));
  const id = identifierOf(identifier);
  const { hash, key } = id === PBMAC1 ? pbmac1KeyOf(parameters, passphrase) : pkcs12Key();
  const [wanted, found] = [octetsOf(digest), createHmac(hash, key).update(content).digest()];
  return wanted.length === found.length && timingSafeEqual(wanted, found);

  function pkcs12Key(): MacKey {
    const hash = HASHES.get(id);
    if (hash === undefined) throw new Error(`it is guarded by a hash that is not known here (${id})`);
    const rounds = iterations === undefined ? 1 : iterationsOf(iterations);
    const from = { hash, purpose: PURPOSES.mac, passphrase: passphrase.bmp, salt: octetsOf(salt) } as const;
    return { hash, key: deriveKey({ ...from, iterations: rounds }, HASH_BYTES[hash]) };
  }
}

interface MacKey {
  readonly hash: Hash;
  readonly key: Uint8Array;
}

function pbmac1KeyOf(parameters: Element | undefined, { utf8 }: Passphrase): MacKey {
  const [derivation, scheme] = childrenOf(expected(parameters));
  const hash = hmacHashOf(identifierOf(childrenOf(expected(scheme))[0]));
  return { hash, key: derivePbkdf2(derivation, utf8) };
}
