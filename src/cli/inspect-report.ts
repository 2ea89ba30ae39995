/** What is known of a bundle, as data: what `--json` prints, and the text is made of. Nothing secret is in it. */
import type { Problem } from "../core/problem.ts";
import type { Placed } from "../preflight/chain.ts";
import type { BundleFacts } from "../preflight/draft.ts";
import { isRoot } from "../preflight/issuer.ts";
import type { Inspection } from "./inspect-bundle.ts";
import { type CertificateReport, certificateOf, type LeafReport, leafOf } from "./inspect-certificate.ts";
import { type CheckReport, checksOf } from "./inspect-checks.ts";
import { type CrlReport, crlOf } from "./inspect-crl.ts";

/** A step of the chain. */
export interface ChainReport extends CertificateReport {
  readonly role: "leaf" | "intermediate" | "root";
  /** Whether services send it. */
  readonly sent: boolean;
  /** Whether it is a trust anchor of the bundle. */
  readonly trusted: boolean;
}

/** All of it. */
export interface InspectReport {
  readonly ok: boolean;
  readonly name: string;
  /** Files, or keys of etcd. */
  readonly from: readonly string[];
  /** Of etcd; null for files. */
  readonly revision: number | null;
  readonly digest: string | null;
  readonly leaf: LeafReport | null;
  /** From the leaf to its root, as far as it is there; then what is sent besides. */
  readonly chain: readonly ChainReport[];
  readonly anchors: readonly (CertificateReport & { readonly inChain: boolean })[];
  readonly crls: readonly CrlReport[];
  /** Certificates that do not belong to the chain, and are not trusted. */
  readonly unused: readonly CertificateReport[];
  readonly checks: readonly CheckReport[];
  readonly problems: readonly Problem[];
}

/** Makes the report. */
export function reportOf(inspection: Inspection, from: readonly string[]): InspectReport {
  const { name, now, contents, pieces, problems } = inspection;
  const { chain, anchors, crls, certificates } = pieces?.facts ?? NOTHING;
  const path = chain?.path ?? [];
  const steps = [...path, ...(chain?.sent ?? []).filter((one) => !path.includes(one))];
  const idsOfSteps = new Set(steps.map(idOf));
  const unused = certificates.filter((one) => !one.isAnchor && !idsOfSteps.has(idOf(one)));
  const [leaf] = path;
  const anchorIds = new Set(anchors.map(idOf));
  return {
    ok: problems.length === 0,
    name,
    from,
    revision: contents === null || contents.revision === 0 ? null : contents.revision,
    digest: contents?.digest ?? null,
    leaf: leaf === undefined ? null : leafOf(leaf, now),
    chain: steps.map((step) => ({
      ...certificateOf(step, now),
      role: step === leaf ? "leaf" : isRoot(step.certificate) ? "root" : "intermediate",
      sent: chain?.sent.includes(step) ?? false,
      trusted: anchorIds.has(idOf(step)),
    })),
    anchors: anchors.map((one) => ({ ...certificateOf(one, now), inChain: idsOfSteps.has(idOf(one)) })),
    crls: crls.map((crl) => crlOf(crl, certificates)),
    unused: unused.map((one) => certificateOf(one, now)),
    checks: checksOf(inspection),
    problems,
  };
}

const NOTHING: Pick<BundleFacts, "chain" | "anchors" | "crls" | "certificates"> = {
  chain: null,
  anchors: [],
  crls: [],
  certificates: [],
};

function idOf({ certificate }: Placed): string {
  return certificate.fingerprint256;
}
