/** Who a client is by its certificate: what mutual TLS has proven of a connection, and nothing else. */
import type { TLSSocket } from "node:tls";

/** A certificate that was proven to be the client's, by an authority that is trusted. */
export interface ClientIdentity {
  /** RFC 4514: the most specific part first. */
  readonly subject: string;
  /** SHA-256, lower-case hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Undefined for a client that proved nothing. A session of TLS 1.3 that is resumed counts as authorized without any
 * certificate: that alone says nothing.
 */
export function identityOf(client: TLSSocket): ClientIdentity | undefined {
  const certificate = client.authorized ? client.getPeerX509Certificate() : undefined;
  if (certificate === undefined) return undefined;
  // A name may be empty, and Node's types do not say so. A line end within a name is escaped.
  const parts = ((certificate.subject as string | undefined) ?? "").split("\n").filter(Boolean);
  return {
    subject: parts.reverse().join(","),
    sha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}

/** Whether it presented a certificate that is not trusted. */
export function isImpostor(client: TLSSocket): boolean {
  return !client.authorized && client.getPeerX509Certificate() !== undefined;
}
