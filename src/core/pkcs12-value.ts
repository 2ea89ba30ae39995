/** Tells whether a value may be a PKCS#12 file, and what a person should do where it is not. Opens nothing. */

/** What a SEQUENCE begins with in base64, and no more than base64 after it. */
const BASE64 = /^\s*MI[A-Za-z0-9+/=\s]+$/;
const LOOK_AT_BYTES = 64;

/** Whether bytes begin with a SEQUENCE as long as a key or certificate: a length of several bytes, or indefinite. */
export function beginsLikeDer([tag, length = 0]: Uint8Array): boolean {
  return tag === 0x30 && length >= 0x80;
}

/** What is wrong with the value of a key that ends in `.p12`; undefined where it may be a PKCS#12 file. */
export function whyNotPkcs12(key: string, value: Uint8Array): string | undefined {
  if (beginsLikeDer(value)) return undefined;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.includes("-----BEGIN ")) {
    return `${key} holds PEM; put it at ${key.slice(0, -".p12".length)}.pem, or a PKCS#12 file here`;
  }
  return BASE64.test(bytes.subarray(0, LOOK_AT_BYTES).toString("latin1"))
    ? `${key} holds base64; put the binary (base64 -d FILE | etcdctl put ${key})`
    : `${key} does not begin like a PKCS#12 file; put one in binary (etcdctl put ${key} < FILE)`;
}
