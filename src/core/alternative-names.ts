/** What a certificate is good for: its subject alternative names. */

/** By kind (RFC 5280 §4.2.1.6). */
export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
}

/** All of them, whatever kind they are. */
export function everyName({ dnsNames, ipAddresses, uris }: AlternativeNames): readonly string[] {
  return [...dnsNames, ...ipAddresses, ...uris];
}
