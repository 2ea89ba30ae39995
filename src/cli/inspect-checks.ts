/** Every check by its name: which problems are its own, and how it stands where there is none of them. */
import type { Problem, ProblemCode } from "../core/problem.ts";
import type { Inspection } from "./inspect-bundle.ts";

/** Names of checks: stable, for scripts. */
export type CheckName =
  | "content"
  | "key"
  | "leaf"
  | "validity"
  | "names"
  | "usages"
  | "chain"
  | "extensions"
  | "strength"
  | "revocation"
  | "handshake"
  | "trust-guard"
  | "labels";

/** How a check ended. */
export interface CheckReport {
  readonly name: CheckName;
  readonly result: "ok" | "failed" | "skipped";
  /** Why it was not made, or what else is to be known. */
  readonly note: string | null;
  readonly problems: readonly Problem[];
}

/** The check that each problem is of. */
export const CHECK_OF: Readonly<Record<ProblemCode, CheckName>> = {
  VALUE_EMPTY: "content",
  VALUE_TOO_LARGE: "content",
  SHAPE_CONFLICT: "content",
  PEM_MISSING: "content",
  PEM_MALFORMED: "content",
  PKCS12_UNREADABLE: "content",
  TOO_MANY_CERTIFICATES: "content",
  TOO_MANY_CRLS: "content",
  CERTIFICATE_UNREADABLE: "content",
  CURVE_UNSUPPORTED: "content",
  CRL_UNREADABLE: "content",
  TOO_MANY_KEYS: "key",
  KEY_MISSING: "key",
  KEY_ENCRYPTED: "key",
  PASSPHRASE_WRONG: "key",
  KEY_UNREADABLE: "key",
  KEY_MISMATCH: "key",
  LEAF_MISSING: "leaf",
  LEAF_AMBIGUOUS: "leaf",
  LEAF_IS_CA: "leaf",
  CERTIFICATE_EXPIRED: "validity",
  CERTIFICATE_NOT_YET_VALID: "validity",
  CERTIFICATE_EXPIRES_SOON: "validity",
  VALIDITY_TOO_LONG: "validity",
  NAME_MISSING: "names",
  NAME_NOT_COVERED: "names",
  KEY_USAGE_WRONG: "usages",
  EXTENDED_KEY_USAGE_WRONG: "usages",
  CHAIN_INCOMPLETE: "chain",
  CHAIN_UNTRUSTED: "chain",
  ISSUER_NOT_CA: "chain",
  PATH_TOO_LONG: "chain",
  NAME_CONSTRAINT_VIOLATED: "chain",
  AUTHORITY_KEY_MISMATCH: "chain",
  SIGNATURE_INVALID: "chain",
  CRITICAL_EXTENSION_UNKNOWN: "extensions",
  KEY_TOO_WEAK: "strength",
  SIGNATURE_TOO_WEAK: "strength",
  PROFILE_VIOLATED: "strength",
  CERTIFICATE_REVOKED: "revocation",
  CRL_MISSING: "revocation",
  CRL_EXPIRED: "revocation",
  CRL_NOT_YET_VALID: "revocation",
  CRL_INVALID: "revocation",
  HANDSHAKE_FAILED: "handshake",
  HANDSHAKE_CRASHED: "handshake",
  HANDSHAKE_TIMEOUT: "handshake",
  CHECK_FAILED: "handshake",
  TRUST_WOULD_BREAK: "trust-guard",
  META_INVALID: "labels",
};

/** OpenSSL says it also of an extension that the policy accepts. */
const UNKNOWN: ProblemCode = "CRITICAL_EXTENSION_UNKNOWN";

type Standing = Pick<CheckReport, "result" | "note">;

/** The note of a check that something before it kept from being made. */
export const NOT_REACHED = "not reached";
const OK: Standing = { result: "ok", note: null };
const UNREACHED: Standing = { result: "skipped", note: NOT_REACHED };
const WITHOUT_LEAF: Standing = { result: "skipped", note: "a trust bundle has no leaf" };

/** In the order they are made; none is called ok that was not wholly made. */
const STANDING: Readonly<Record<CheckName, (inspection: Inspection) => Standing>> = {
  content: (inspection) => (isLocked(inspection) ? UNREACHED : OK),
  key: ofLeaf((inspection) => isKeyOfLeaf(inspection)),
  leaf: ofLeaf(() => true),
  validity: (inspection) => (isTrustOnly(inspection) ? whereAllRead(inspection) : ofChain(inspection)),
  names: ofLeaf(() => true),
  usages: ofChain,
  chain: (inspection) => {
    const standing = ofChain(inspection);
    const isOpenEnded = standing === OK && inspection.pieces?.facts.anchors.length === 0;
    return isOpenEnded
      ? { ...OK, note: "no trust anchor came with it: where it ends was not checked" }
      : standing;
  },
  extensions: ofChain,
  strength: ofChain,
  revocation: (inspection) => {
    if (inspection.pieces?.facts.hasAllCrls !== true) return UNREACHED;
    const standing = isTrustOnly(inspection) ? whereAllRead(inspection) : ofChain(inspection);
    const isWithout = standing === OK && inspection.pieces.facts.crls.length === 0;
    return isWithout ? { result: "skipped", note: "no revocation list came with it" } : standing;
  },
  handshake: ofHandshake,
  "trust-guard": (inspection) => {
    const note = isTrustOnly(inspection)
      ? "made on each node, by what is live there"
      : "made of trust bundles only";
    return { result: "skipped", note };
  },
  labels: ({ meta }) => (meta === null ? { result: "skipped", note: "there is no meta.json" } : OK),
};

/** How each check ended. */
export function checksOf(inspection: Inspection): CheckReport[] {
  return (Object.keys(STANDING) as CheckName[]).map((name) => {
    const problems = inspection.problems.filter(({ code }) => CHECK_OF[code] === name);
    const failed: Standing = { result: "failed", note: null };
    return { name, ...(problems.length > 0 ? failed : STANDING[name](inspection)), problems };
  });
}

/** Looks at the leaf alone. */
function ofLeaf(isMade: (inspection: Inspection) => boolean): (inspection: Inspection) => Standing {
  return (inspection) => {
    if (isTrustOnly(inspection)) return WITHOUT_LEAF;
    return inspection.pieces?.facts.chain && isMade(inspection) ? OK : UNREACHED;
  };
}

/** Looks at everything that leads from the leaf to its trust anchor: what could not be read may belong to it. */
function ofChain(inspection: Inspection): Standing {
  if (isTrustOnly(inspection)) return WITHOUT_LEAF;
  return inspection.pieces?.facts.chain ? whereAllRead(inspection) : UNREACHED;
}

function ofHandshake(inspection: Inspection): Standing {
  const { proof, problems } = inspection;
  if (isTrustOnly(inspection)) return WITHOUT_LEAF;
  if (proof === null) return UNREACHED;
  if (proof.length === 0) return OK;
  const isNamed = problems.some(({ code }) => code === UNKNOWN);
  if (isNamed || proof.some(({ code }) => code !== UNKNOWN)) {
    return { result: "failed", note: "OpenSSL refuses it for what is said above" };
  }
  return { ...OK, note: "OpenSSL refuses an extension that checks.allowCriticalOids accepts" };
}

function whereAllRead({ pieces }: Inspection): Standing {
  return pieces?.facts.hasAllCertificates ? OK : UNREACHED;
}

function isTrustOnly({ pieces }: Inspection): boolean {
  return pieces?.facts.isTrustOnly === true;
}

/** Whether there is a PKCS#12 file that was not opened. */
function isLocked({ contents, pieces }: Inspection): boolean {
  if (contents === null || pieces === null) return true;
  const { keys, problems } = pieces.unlocked;
  return contents.blocks.some(({ role }) => role === "pkcs12") && keys.length === 0 && problems.length > 0;
}

function isKeyOfLeaf({ pieces }: Inspection): boolean {
  const [leaf] = pieces?.facts.chain?.path ?? [];
  const [key] = pieces?.unlocked.keys ?? [];
  return leaf !== undefined && key !== undefined && leaf.certificate.fits(key.key);
}
