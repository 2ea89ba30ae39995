/** PBKDF2 as files ask for it (RFC 8018 §5.2 and Appendix A.2), within bounds. */
import { pbkdf2Sync } from "node:crypto";
import { SEQUENCE } from "../../core/der.ts";
import { childrenOf, type Element, expected, identifierOf, integerOf, octetsOf } from "./ber.ts";
import type { Hash } from "./pkcs12-key.ts";

/** More work than this is refused: programs that make such files ask for 2,048 to 650,000 iterations. */
const MAX_ITERATIONS = 1_000_000;

const MAX_KEY_BYTES = 64;
export const PBKDF2 = "1.2.840.113549.1.5.12";
const HMAC_WITH_SHA1 = "1.2.840.113549.2.7";
const HMAC_HASHES: ReadonlyMap<string, Hash> = new Map([
  [HMAC_WITH_SHA1, "sha1"],
  ["1.2.840.113549.2.8", "sha224"],
  ["1.2.840.113549.2.9", "sha256"],
  ["1.2.840.113549.2.10", "sha384"],
  ["1.2.840.113549.2.11", "sha512"],
]);

/**
 * Makes a key. Throws an Error where it is another way of making keys, or asks for too much.
 *
 * @param algorithm AlgorithmIdentifier of PBKDF2.
 * @param keyBytes Left out where the parameters have to say it.
 */
export function derivePbkdf2(
  algorithm: Element | undefined,
  passphrase: Uint8Array,
  keyBytes?: number,
): Buffer {
  const [identifier, parameters] = childrenOf(expected(algorithm));
  const id = identifierOf(identifier);
  if (id !== PBKDF2) throw new Error(`it makes its key in a way that is not known here (${id})`);
  const [salt, iterations, length] = childrenOf(expected(parameters));
  const hash = hmacHashOf(pseudorandomFunctionOf(parameters));
  const bytes = keyBytes ?? integerOf(length);
  if (bytes === 0 || bytes > MAX_KEY_BYTES) throw new Error(`it asks for a key of ${bytes} bytes`);
  return pbkdf2Sync(passphrase, octetsOf(salt), iterationsOf(iterations), bytes, hash);
}

/** The hash of an HMAC, by object identifier. */
export function hmacHashOf(id: string): Hash {
  const hash = HMAC_HASHES.get(id);
  if (hash === undefined) throw new Error(`it has an HMAC that is not known here (${id})`);
  return hash;
}

/** Whether the HMAC of a PBKDF2 is of an approved hash (SP 800-132 §5.3): all of those known here are. */
export function hasApprovedHmac(parameters: Element | undefined): boolean {
  return HMAC_HASHES.has(pseudorandomFunctionOf(parameters));
}

/** An iteration count within bounds. */
export function iterationsOf(element: Element | undefined): number {
  const iterations = integerOf(element);
  if (iterations > 0 && iterations <= MAX_ITERATIONS) return iterations;
  throw new Error(`it asks for ${iterations} iterations to make a key; the most is ${MAX_ITERATIONS}`);
}

/** It is the last of the parameters where there is one, and a key length may stand before it. */
function pseudorandomFunctionOf(parameters: Element | undefined): string {
  const last = childrenOf(expected(parameters)).at(-1);
  return last?.tag === SEQUENCE ? identifierOf(childrenOf(last)[0]) : HMAC_WITH_SHA1;
}
