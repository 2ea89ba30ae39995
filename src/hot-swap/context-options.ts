/** The full set of options of a TLS context: what is left out of a swap would be dropped from a running server. */
import type { SecureContextOptions } from "node:tls";
import { KeyturnError } from "../core/errors.ts";
import type { BundleSource } from "./bundle-source.ts";
import type { BundleVersion } from "./bundle-version.ts";

/** What a bundle says of a context, or keyturn does. */
type FromBundle = "cert" | "key" | "ca" | "crl" | "pfx" | "passphrase" | "sessionIdContext" | "ticketKeys";

/** What a bundle does not say of a context. */
export interface ContextOptions {
  /** Everything else, such as `minVersion` and `ciphers`: the same for each generation. */
  readonly tls?: Omit<SecureContextOptions, FromBundle>;
  /** Another bundle whose `ca.crt` and `ca.crl` say which peers are trusted; else they are the bundle's own. */
  readonly trust?: BundleSource | undefined;
}

/**
 * Options of a server's context.
 *
 * @param trusted The version whose authorities are trusted; undefined for the same as what is presented.
 * @throws KeyturnError GENERATION_REFUSED for a trust bundle, which has nothing that a server could present.
 */
export function contextOptionsOf(
  version: BundleVersion,
  { tls }: ContextOptions,
  trusted: BundleVersion = version,
): SecureContextOptions {
  const { cert, key } = version.tlsMaterial();
  if (cert === undefined || key === undefined) {
    const what = `${version.bundle} is a trust bundle, without a leaf`;
    throw new KeyturnError("GENERATION_REFUSED", `${what}: a server has nothing to present`);
  }
  const { ca, crl } = trusted.tlsMaterial();
  return { ...tls, cert, key, ca: [...ca], crl: [...crl] };
}

/**
 * Options of a client's context. A trust bundle, without a leaf, is one that presents nothing.
 *
 * @param trusted The version whose authorities are trusted. Undefined for the same as what is presented; where that has no
 * authorities at all, Node's default ones are trusted.
 */
export function clientOptionsOf(
  version: BundleVersion,
  { tls }: ContextOptions,
  trusted: BundleVersion | undefined,
): SecureContextOptions {
  const { cert, key, ...own } = version.tlsMaterial();
  const { ca, crl } = trusted?.tlsMaterial() ?? own;
  const isDefault = trusted === undefined && ca.length === 0;
  return {
    ...tls,
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(isDefault ? {} : { ca: [...ca] }),
    crl: [...crl],
  };
}
