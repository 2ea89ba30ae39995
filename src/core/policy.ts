/** What a bundle has to be like on this node, besides being correct. */
import { matchesAny } from "./glob.ts";
import type { BundleName } from "./names.ts";

/** Uses of a leaf (RFC 5280 §4.2.1.12). */
export type ExtendedKeyUsage = "serverAuth" | "clientAuth";

/** Which algorithms may be used. `fips`: an allow-list of what FIPS 186-5 and SP 800-131A approve. */
export type Profile = "default" | "fips";

/** The checks of one bundle: `checks` of the configuration, with the rules that match its name. */
export interface CheckPolicy {
  readonly profile: Profile;
  /** A leaf with less left is rejected. */
  readonly minRemainingMs: number;
  /** A leaf that is valid for longer from its first to its last moment is rejected; null for any. */
  readonly maxValidityMs: number | null;
  /** Object identifiers, dotted, of critical extensions that are accepted. */
  readonly allowCriticalOids: readonly string[];
  /** Subject alternative names the leaf has to cover. */
  readonly requireNames: readonly string[];
  readonly requireEku: readonly ExtendedKeyUsage[];
  /** Holds the passphrase of an encrypted private key or PKCS#12 file. */
  readonly passphraseFile: string | null;
}

/** What some bundles are checked by, in place of the settings for all. */
export interface CheckRule
  extends Partial<{ readonly [K in keyof CheckPolicy]: CheckPolicy[K] | undefined }> {
  /** Names or patterns. */
  readonly bundles: readonly string[];
}

/** The policy of one bundle: rules are applied in order, and a later one wins. */
export function policyOf(name: BundleName, base: CheckPolicy, rules: readonly CheckRule[]): CheckPolicy {
  const policy: Record<string, unknown> = { ...base };
  for (const { bundles, ...settings } of rules) {
    if (!matchesAny(name, bundles)) continue;
    for (const [setting, value] of Object.entries(settings)) if (value !== undefined) policy[setting] = value;
  }
  return policy as unknown as CheckPolicy;
}
