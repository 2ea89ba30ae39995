/** A bundle that was read and may be written: leaf, chain, key, trust anchors and CRLs, each known for what it is. */
import type { AlternativeNames } from "./alternative-names.ts";
import type { Digest } from "./digest.ts";
import type { BundleName } from "./names.ts";
import type { Secret } from "./secret.ts";

/** What a person wants to know of a leaf certificate; nothing secret, safe in logs, hooks and metrics. */
export interface LeafSummary extends AlternativeNames {
  /** Distinguished names, most specific part first (RFC 4514). */
  readonly subject: string;
  readonly issuer: string;
  /** Upper-case hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the certificate's DER, upper-case hexadecimal with colons, as OpenSSL prints it. */
  readonly fingerprint256: string;
  /** ISO 8601, UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Such as `EC P-256` or `RSA 2048`. */
  readonly keyType: string;
}

/** What a server presents: the leaf, its intermediates in order, and the key. */
export interface Identity {
  readonly leaf: LeafSummary;
  /** DER of the leaf, then each certificate that issued the one before it. */
  readonly chain: readonly Uint8Array[];
  /** PKCS#8 PEM, unencrypted. */
  readonly privateKeyPem: Secret<string>;
}

/** One version of a bundle, ready to be written. */
export interface Bundle {
  readonly name: BundleName;
  readonly digest: Digest;
  /** Revision of etcd it was read at. */
  readonly revision: number;
  /** Null for a trust bundle: anchors, and perhaps CRLs, with no leaf and no key. */
  readonly identity: Identity | null;
  /** DER, in the order they were given. */
  readonly anchors: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
}
