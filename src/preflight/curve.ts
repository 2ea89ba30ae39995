/** Which elliptic curve a public key is on, told from its bytes alone: before any library decodes it. */

/** Object identifiers as they stand in DER, tag and length included. */
const ELLIPTIC_ALGORITHMS = new Set([
  "06072a8648ce3d0201", // id-ecPublicKey (RFC 5480 §2.1.1)
  "06052b8104010c", // id-ecDH (RFC 5480 §2.1.2)
  "06052b8104010d", // id-ecMQV
]);
const CURVES = new Set([
  "06082a8648ce3d030107", // P-256
  "06052b81040022", // P-384
  "06052b81040023", // P-521
]);
const NAMES: ReadonlyMap<string, string> = new Map([
  ["06092b2403030208010107", "brainpoolP256r1"],
  ["06052b8104000a", "secp256k1"],
]);

/**
 * The curve of a key where it is none of P-256, P-384 and P-521; undefined where it is, or the key is on no curve.
 *
 * On any other the TLS library of Node 24 and 26 ends the process. A curve that is given by its parameters is foreign
 * too, even where they are those of P-256.
 *
 * @param algorithm The object identifier of the key's algorithm, and its parameters: both as DER.
 */
export function foreignCurve(
  algorithm: Uint8Array | undefined,
  parameters: Uint8Array | undefined,
): string | undefined {
  if (algorithm === undefined || !ELLIPTIC_ALGORITHMS.has(hexOf(algorithm))) return undefined;
  const curve = parameters === undefined ? "" : hexOf(parameters);
  if (CURVES.has(curve)) return undefined;
  return NAMES.get(curve) ?? "of another name, or of none";
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
