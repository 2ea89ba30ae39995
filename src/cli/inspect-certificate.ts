/** What is told of a certificate: its facts, and how many days it has left. */
import { ExtendedKeyUsage, KeyUsageFlags } from "@peculiar/x509";
import type { AlternativeNames } from "../core/alternative-names.ts";
import type { LeafSummary } from "../core/bundle.ts";
import type { Placed } from "../preflight/chain.ts";
import { keyTypeOf } from "../preflight/key-type.ts";

/** A certificate. */
export interface CertificateReport extends Omit<LeafSummary, keyof AlternativeNames> {
  /** Below zero where it has expired. */
  readonly daysLeft: number;
  /** File or key, and line. */
  readonly where: string;
}

/** The leaf. */
export interface LeafReport extends CertificateReport, AlternativeNames {
  /** Null: it says nothing, and may be used for anything. */
  readonly keyUsage: readonly string[] | null;
  readonly extendedKeyUsage: readonly string[] | null;
}

const DAY_MS = 86_400_000;
const FLAGS = Object.entries(KeyUsageFlags).filter((entry): entry is [string, KeyUsageFlags] =>
  Number.isInteger(entry[1]),
);
const PURPOSES = new Map(Object.entries(ExtendedKeyUsage).map(([name, id]) => [String(id), name]));

/** Of any certificate. */
export function certificateOf({ certificate, where }: Placed, now: Date): CertificateReport {
  const { subject, issuer, serial, fingerprint256, notBefore, notAfter, publicKey, keyAlgorithm } =
    certificate;
  return {
    subject,
    issuer,
    serial,
    fingerprint256,
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    // Rounded down: there is never less left than is said.
    daysLeft: Math.floor(((notAfter.getTime() - now.getTime()) / DAY_MS) * 10) / 10,
    keyType: publicKey === undefined ? keyAlgorithm : keyTypeOf(publicKey),
    where,
  };
}

/** Of the leaf. */
export function leafOf(leaf: Placed, now: Date): LeafReport {
  const { names, keyUsage, extendedKeyUsage } = leaf.certificate;
  return {
    ...certificateOf(leaf, now),
    ...names,
    keyUsage:
      keyUsage === undefined ? null : FLAGS.filter(([, flag]) => keyUsage & flag).map(([name]) => name),
    extendedKeyUsage: extendedKeyUsage?.map((id) => PURPOSES.get(id) ?? id) ?? null,
  };
}
