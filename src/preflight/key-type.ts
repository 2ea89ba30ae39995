/** What people call the kind of a key. */
import type { KeyObject } from "node:crypto";

/** The names that certificates and people use for OpenSSL's curves. */
const CURVE_NAMES: ReadonlyMap<string, string> = new Map([
  ["prime256v1", "P-256"],
  ["secp384r1", "P-384"],
  ["secp521r1", "P-521"],
]);

/** Such as `EC P-256` or `RSA 2048`. */
export function keyTypeOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const { namedCurve, modulusLength } = asymmetricKeyDetails ?? {};
  if (namedCurve !== undefined) return `EC ${CURVE_NAMES.get(namedCurve) ?? namedCurve}`;
  const algorithm = asymmetricKeyType?.toUpperCase() ?? "unknown";
  return modulusLength === undefined ? algorithm : `${algorithm} ${modulusLength}`;
}
