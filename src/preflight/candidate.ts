/** What a bundle brings and trusts, as a handshake takes it. */
import type { Bundle, Identity } from "../core/bundle.ts";
import type { IdentityPem, TrustPem } from "../core/handshake.ts";
import { writePem } from "../core/pem.ts";

/** Leaf, intermediates and key. */
export function identityPemOf({ chain, privateKeyPem }: Omit<Identity, "leaf">): IdentityPem {
  return { chain: pemOf("CERTIFICATE", chain).join(""), key: privateKeyPem };
}

/** Trust anchors and revocation lists. */
export function trustPemOf({ anchors, crls }: Pick<Bundle, "anchors" | "crls">): TrustPem {
  return { anchors: pemOf("CERTIFICATE", anchors).join(""), crls: pemOf("X509 CRL", crls) };
}

function pemOf(label: string, ders: readonly Uint8Array[]): string[] {
  return ders.map((der) => writePem(label, der));
}
