/** What is told of a revocation list. */
import { Name } from "@peculiar/x509";
import { hexOf, readFields, readTlv, SEQUENCE, sameBytes } from "../core/der.ts";
import type { Placed } from "../preflight/chain.ts";
import type { CrlFacts } from "../preflight/crl.ts";

/** A revocation list. */
export interface CrlReport {
  readonly issuer: string;
  readonly thisUpdate: string;
  /** Null where it does not say when the next one comes. */
  readonly nextUpdate: string | null;
  readonly entries: number;
  readonly where: string;
}

/** @param certificates Those of the bundle: one of them may be its issuer. */
export function crlOf(
  { der, where, issuerDer, thisUpdate, nextUpdate }: CrlFacts,
  certificates: readonly Placed[],
): CrlReport {
  const issuer = certificates.find(({ certificate }) => sameBytes(certificate.subjectDer, issuerDer));
  return {
    issuer: issuer?.certificate.subject ?? textOfName(issuerDer),
    thisUpdate: thisUpdate.toISOString(),
    nextUpdate: nextUpdate?.toISOString() ?? null,
    entries: entriesOf(der),
    where,
  };
}

function textOfName(der: Uint8Array): string {
  try {
    return new Name(Buffer.from(der)).toString();
  } catch {
    // Whoever issued it is for the checks to say.
    return hexOf(der);
  }
}

/**
 * How many certificates a list revokes: `revokedCertificates` is the SEQUENCE after the times (RFC 5280 §5.1), which come
 * after two others.
 */
function entriesOf(der: Uint8Array): number {
  const outer = readTlv(der, 0, der.length);
  const [list] = outer === undefined ? [] : readFields(der, outer, 1);
  const fields = list === undefined ? [] : readFields(der, list, 8);
  const [, , revoked] = fields.filter(({ tag }) => tag === SEQUENCE);
  return revoked === undefined ? 0 : readFields(der, revoked, Number.POSITIVE_INFINITY).length;
}
