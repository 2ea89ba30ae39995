/** What certificates and revocation lists are signed by, told from the algorithm that they name. */
import { constants, type KeyObject, verify } from "node:crypto";
import { type Algorithm, contentOf, dottedText, hexOf, readFields, readTlv } from "../core/der.ts";

/** How something is signed. */
export interface SignatureFacts {
  readonly scheme: "RSA" | "RSA-PSS" | "ECDSA" | "DSA" | "EdDSA" | "other";
  /** The hash as OpenSSL calls it, such as `sha256`; null where the scheme has its own, or is not known. */
  readonly hash: string | null;
  /** For people: `RSA with sha256`, or the object identifier. */
  readonly name: string;
}

/** Object identifiers in hexadecimal (RFC 8017 Appendix A.2.4, RFC 5754, RFC 8692): the last byte says the hash. */
const RSA = "2a864886f70d0101";
const RSA_HASHES: ReadonlyMap<string, string> = new Map([
  ["02", "md2"],
  ["03", "md4"],
  ["04", "md5"],
  ["05", "sha1"],
  ["0b", "sha256"],
  ["0c", "sha384"],
  ["0d", "sha512"],
  ["0e", "sha224"],
  ["0f", "sha512-224"],
  ["10", "sha512-256"],
]);
const RSA_PSS = `${RSA}0a`;
const OTHERS: ReadonlyMap<string, readonly [SignatureFacts["scheme"], string | null]> = new Map([
  ["2a8648ce3d0401", ["ECDSA", "sha1"]],
  ["2a8648ce3d040301", ["ECDSA", "sha224"]],
  ["2a8648ce3d040302", ["ECDSA", "sha256"]],
  ["2a8648ce3d040303", ["ECDSA", "sha384"]],
  ["2a8648ce3d040304", ["ECDSA", "sha512"]],
  ["60864801650304030a", ["ECDSA", "sha3-256"]],
  ["60864801650304030b", ["ECDSA", "sha3-384"]],
  ["60864801650304030c", ["ECDSA", "sha3-512"]],
  ["60864801650304030e", ["RSA", "sha3-256"]],
  ["60864801650304030f", ["RSA", "sha3-384"]],
  ["608648016503040310", ["RSA", "sha3-512"]],
  ["2b0e03021d", ["RSA", "sha1"]],
  ["2a8648ce380403", ["DSA", "sha1"]],
  ["608648016503040301", ["DSA", "sha224"]],
  ["608648016503040302", ["DSA", "sha256"]],
  ["2b6570", ["EdDSA", null]],
  ["2b6571", ["EdDSA", null]],
]);
/** Hashes by themselves (RFC 8017 Appendix A.2.1). */
const HASHES: ReadonlyMap<string, string> = new Map([
  ["2b0e03021a", "sha1"],
  ["608648016503040201", "sha256"],
  ["608648016503040202", "sha384"],
  ["608648016503040203", "sha512"],
  ["608648016503040204", "sha224"],
  ["608648016503040205", "sha512-224"],
  ["608648016503040206", "sha512-256"],
  ["608648016503040208", "sha3-256"],
  ["608648016503040209", "sha3-384"],
  ["60864801650304020a", "sha3-512"],
]);

/** Reads an AlgorithmIdentifier. */
export function signatureOf([identifier, parameters]: Algorithm): SignatureFacts {
  const content = identifier?.subarray(2) ?? new Uint8Array();
  const id = hexOf(content);
  if (id === RSA_PSS) return named("RSA-PSS", pssHashOf(parameters));
  const rsaHash = id.startsWith(RSA) ? RSA_HASHES.get(id.slice(RSA.length)) : undefined;
  if (rsaHash !== undefined) return named("RSA", rsaHash);
  const other = OTHERS.get(id);
  return other === undefined ? { scheme: "other", hash: null, name: dottedText(content) } : named(...other);
}

function named(scheme: SignatureFacts["scheme"], hash: string | null): SignatureFacts {
  return { scheme, hash, name: hash === null ? scheme : `${scheme} with ${hash}` };
}

/** `RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] DEFAULT sha1, … }` (RFC 8017 Appendix A.2.3) */
function pssHashOf(parameters: Uint8Array | undefined): string {
  const sequence = parameters && readTlv(parameters, 0, parameters.length);
  const [first] = parameters && sequence ? readFields(parameters, sequence, 1) : [];
  if (parameters === undefined || first?.tag !== 0xa0) return "sha1";
  const algorithm = readTlv(parameters, first.content, first.end);
  const [identifier] = algorithm === undefined ? [] : readFields(parameters, algorithm, 1);
  return HASHES.get(identifier === undefined ? "" : hexOf(contentOf(parameters, identifier))) ?? "unknown";
}

/** Whether the key made this signature over the data, by the scheme that is named. Throws nothing. */
export function isSignatureOf(
  key: KeyObject,
  { scheme, hash }: SignatureFacts,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
  try {
    return verify(hash, data, scheme === "RSA-PSS" ? { key, ...pss } : key, signature);
  } catch {
    // The algorithm is not known to OpenSSL, or is not one of this kind of key.
    return false;
  }
}
