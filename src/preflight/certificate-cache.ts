/** Remembers the certificates that were read last: intermediates and roots come again with every rotation. */
import type { Problem } from "../core/problem.ts";
import type { CertificateFacts } from "./certificate.ts";

/** Reads one certificate; `where` is for the message. */
export type ReadCertificate = (der: Uint8Array, where: string) => CertificateFacts | Problem;

/** Gives what `read` gave for the same bytes before, for the `most` certificates used last; problems are not kept. */
export function rememberCertificates(read: ReadCertificate, most = 512): ReadCertificate {
  const known = new Map<string, CertificateFacts>();
  return (der, where) => {
    const bytes = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("latin1");
    const found = known.get(bytes) ?? read(der, where);
    if ("code" in found) return found;
    // A Map goes from the oldest entry to the newest: what is used moves to the end.
    known.delete(bytes);
    known.set(bytes, found);
    const [oldest] = known.keys();
    if (known.size > most && oldest !== undefined) known.delete(oldest);
    return found;
  };
}
