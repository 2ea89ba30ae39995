/** Which elliptic curve a private key is on, told from its bytes alone: before any library decodes it. */
import { INTEGER, OCTET_STRING, SEQUENCE } from "../core/der.ts";
import { foreignCurve } from "./curve.ts";
import { childrenOf, type Element, octetsOf, readElement } from "./locked/ber.ts";

const EC_PUBLIC_KEY = Uint8Array.from(Buffer.from("06072a8648ce3d0201", "hex"));
const PARAMETERS = 0xa0;

/**
 * The curve of a private key where it is none of P-256, P-384 and P-521; undefined where it is, the key is on no curve,
 * or this is no private key at all: OpenSSL then refuses it.
 *
 * @param der PKCS#8 (RFC 5958), or the form of its own algorithm: SEC1 (RFC 5915) for an elliptic curve.
 */
export function foreignCurveOfKey(der: Uint8Array): string | undefined {
  try {
    const [version, second, third] = childrenOf(readElement(der));
    if (version?.tag !== INTEGER) return undefined;
    if (second?.tag === OCTET_STRING) return foreignSec1Curve(der, EC_PUBLIC_KEY, undefined);
    if (second?.tag !== SEQUENCE) return undefined;
    const [algorithm, parameters] = childrenOf(second);
    // What stands in the key itself wins over what stands beside it, so both are looked at.
    return (
      foreignCurve(algorithm?.whole, parameters?.whole) ??
      foreignSec1Curve(octetsOf(third), algorithm?.whole, parameters)
    );
  } catch {
    return undefined;
  }
}

/** `beside` are the parameters that count where the key has none. */
function foreignSec1Curve(
  der: Uint8Array,
  algorithm: Uint8Array | undefined,
  beside: Element | undefined,
): string | undefined {
  const own = readElement(der);
  if (own.tag !== SEQUENCE) return undefined;
  const explicit = childrenOf(own).find(({ tag }) => tag === PARAMETERS);
  const [parameters = beside] = explicit === undefined ? [] : childrenOf(explicit);
  return foreignCurve(algorithm, parameters?.whole);
}
