/** One generation of a bundle as it was loaded: what may be shown of it, and what TLS needs, which shows nothing. */
import type { LeafSummary } from "../core/bundle.ts";
import type { Secret } from "../core/secret.ts";

/** What TLS needs, as Node's `tls.createSecureContext` takes it: always the full set. */
export interface TlsMaterial {
  /** PEM: leaf, then intermediates. Undefined for a trust bundle. */
  readonly cert: string | undefined;
  /** PKCS#8 PEM. */
  readonly key: string | undefined;
  /** PEM, one certificate each. Empty where the bundle brings none: then nobody is trusted, and not everybody. */
  readonly ca: readonly string[];
  /** PEM, one list each: OpenSSL reads only the first of a concatenation. */
  readonly crl: readonly string[];
}

/** What the manifest of a generation says. */
export interface VersionFacts {
  /** The name of the bundle. */
  readonly bundle: string;
  /** The name of the generation's folder: sorts by age. */
  readonly generation: string;
  /** `sha256:` and 64 hexadecimal digits: SHA-256 over the content. */
  readonly digest: string;
  /** Revision of etcd. */
  readonly revision: number;
  /** Null for a trust bundle. */
  readonly leaf: LeafSummary | null;
}

/** A generation that was loaded, whole, and proven to be one that TLS can use. */
export class BundleVersion implements VersionFacts {
  readonly bundle: string;
  readonly generation: string;
  readonly digest: string;
  readonly revision: number;
  readonly leaf: LeafSummary | null;
  readonly #material: Secret<TlsMaterial>;

  constructor(facts: VersionFacts, material: Secret<TlsMaterial>) {
    this.bundle = facts.bundle;
    this.generation = facts.generation;
    this.digest = facts.digest;
    this.revision = facts.revision;
    this.leaf = facts.leaf;
    this.#material = material;
  }

  /** Certificate, key and trust, for whatever makes a TLS context of its own. Holds the private key: do not log it. */
  tlsMaterial(): TlsMaterial {
    return this.#material.reveal();
  }
}
