/** Which private keys are too large to be handed to OpenSSL, told from their bytes alone. */
import { INTEGER, SEQUENCE } from "../core/der.ts";
import { childrenOf, readElement } from "./locked/ber.ts";

/** A DSA key with the largest numbers that FIPS 186-4 §4.2 has is of 900 bytes. */
const MAX_DSA_BYTES = 2_048;

/**
 * Whether this may be a DSA key that is larger than any.
 *
 * OpenSSL computes the public half of such a key while it reads it from PKCS#8, whatever its size: 32 KB of it took a
 * minute and a half. Of other keys it computes nothing, or has a bound of its own.
 *
 * It is known by its parameters, for it has several identifiers. What cannot be read here may be read by OpenSSL.
 *
 * @param der DER, or the BER that OpenSSL reads as well.
 */
export function mayBeHugeDsaKey(der: Uint8Array): boolean {
  if (der.length <= MAX_DSA_BYTES) return false;
  try {
    const [, algorithm] = childrenOf(readElement(der));
    if (algorithm?.tag !== SEQUENCE) return false;
    const [, parameters] = childrenOf(algorithm);
    return parameters?.tag === SEQUENCE && childrenOf(parameters)[0]?.tag === INTEGER;
  } catch {
    return true;
  }
}
