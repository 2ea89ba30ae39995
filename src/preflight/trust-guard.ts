/**
 * Keeps a new trust bundle from cutting off what is live on this node: whatever the trust bundle in its place accepts,
 * the new one has to accept too.
 */
import type { Bundle } from "../core/bundle.ts";
import type { IdentityPem, Prove } from "../core/handshake.ts";
import type { BundleName } from "../core/names.ts";
import { readPem } from "../core/pem.ts";
import type { Problem, ProblemCode } from "../core/problem.ts";
import { listSome } from "../core/words.ts";
import type { Clock } from "../runtime/clock.ts";
import { trustPemOf } from "./candidate.ts";
import { readCertificate } from "./certificate.ts";
import type { ReadCertificate } from "./certificate-cache.ts";
import { type Chain, findChain, type Placed, reachesAnchor } from "./chain.ts";
import { provenAs } from "./checks/uses.ts";
import { isRoot } from "./issuer.ts";

/** What is trusted by the files of a generation. */
export interface TrustFiles {
  /** `ca.crt`. */
  readonly ca: string;
  /** `ca.crl`; null where there is none. */
  readonly crl: string | null;
}

/** What the guard looks at. */
export interface TrustGuardOptions {
  /** What the trust bundle of this name trusts now; null where none is live. */
  readonly current: (name: BundleName) => Promise<TrustFiles | null>;
  /** Every bundle with a leaf that is live on this node. */
  readonly live: () => Promise<readonly { readonly name: BundleName; readonly identity: IdentityPem }[]>;
  readonly prove: Prove;
  readonly clock: Pick<Clock, "now">;
  readonly read?: ReadCertificate;
}

/** Says what a trust bundle would cut off; empty where it is nothing. */
export type GuardTrust = (bundle: Bundle, signal: AbortSignal) => Promise<readonly Problem[]>;

type Trust = Pick<Bundle, "anchors" | "crls">;

/** One identity, by what it is proven. */
interface Live {
  readonly identity: IdentityPem;
  readonly leaf: Placed;
  readonly intermediates: readonly Placed[];
}

/** The handshake itself went wrong: no word about the trust. */
const NO_WORD: readonly ProblemCode[] = ["HANDSHAKE_CRASHED", "HANDSHAKE_TIMEOUT"];
/** Bundles that a message names. */
const MOST_NAMED = 5;

/** Makes a guard. */
export function createTrustGuard(options: TrustGuardOptions): GuardTrust {
  return async (bundle, signal) => {
    const files = await options.current(bundle.name);
    if (files === null) return [];
    const before = trustOf(files);
    if (isWider(bundle, before)) return [];
    const cutOff: string[] = [];
    const unproven: Problem[] = [];
    for (const { name, identity } of await options.live()) {
      const one = readLive(identity, options);
      if (one === undefined) continue;
      const refusals = await newRefusals(one, before, bundle, options, signal);
      const [first] = refusals.filter(({ code }) => !NO_WORD.includes(code));
      if (first === undefined) unproven.push(...refusals);
      else cutOff.push(`${name} (${one.leaf.certificate.subject}: ${first.code})`);
    }
    return cutOff.length === 0 ? unproven : [wouldBreak(cutOff)];
  };
}

/** Why the trust that comes refuses what the one before accepts. */
async function newRefusals(
  one: Live,
  before: Trust,
  after: Trust,
  tools: TrustGuardOptions,
  signal: AbortSignal,
): Promise<readonly Problem[]> {
  const refusals = await refusalsOf(one, after, tools, signal);
  if (refusals.length === 0) return [];
  return (await refusalsOf(one, before, tools, signal)).length === 0 ? refusals : [];
}

async function refusalsOf(
  one: Live,
  trust: Trust,
  tools: TrustGuardOptions,
  signal: AbortSignal,
): Promise<readonly Problem[]> {
  const { path } = chainUnder(one, trust, tools);
  if (!reachesAnchor(path))
    return [{ code: "CHAIN_UNTRUSTED", message: "none of the trust anchors issued it" }];
  const candidate = { identity: one.identity, trust: trustPemOf(trust), as: provenAs(path) };
  const problems = await tools.prove(candidate, signal);
  // It is live: such an extension was accepted.
  return problems.filter(({ code }) => code !== "CRITICAL_EXTENSION_UNKNOWN");
}

function wouldBreak(cutOff: readonly string[]): Problem {
  const named = listSome(cutOff, "; ", MOST_NAMED);
  const message = `certificates that are live on this node would not be accepted any more: ${named}; put a trust bundle with the old anchors and the new ones until they are replaced, or set checks.trustGuard: off`;
  return { code: "TRUST_WOULD_BREAK", message };
}

function trustOf({ ca, crl }: TrustFiles): Trust {
  return { anchors: dersOf(ca), crls: crl === null ? [] : dersOf(crl) };
}

function dersOf(pem: string): Uint8Array[] {
  const read = readPem(Buffer.from(pem));
  return read.ok ? read.blocks.map(({ der }) => der) : [];
}

/** Whether everything that was trusted still is, by the same revocation lists. */
function isWider(after: Trust, before: Trust): boolean {
  const [anchors, crls] = [textsOf(after.anchors), textsOf(after.crls)];
  const [oldAnchors, oldCrls] = [textsOf(before.anchors), textsOf(before.crls)];
  const isSame = crls.size === oldCrls.size && [...oldCrls].every((crl) => crls.has(crl));
  return isSame && [...oldAnchors].every((anchor) => anchors.has(anchor));
}

function textsOf(ders: readonly Uint8Array[]): Set<string> {
  return new Set(ders.map((der) => Buffer.from(der).toString("latin1")));
}

function readLive(identity: IdentityPem, tools: TrustGuardOptions): Live | undefined {
  const [leaf, ...intermediates] = place(dersOf(identity.chain), false, tools);
  return leaf && { identity, leaf, intermediates };
}

function chainUnder({ leaf, intermediates }: Live, { anchors }: Trust, tools: TrustGuardOptions): Chain {
  const trusted = place(anchors, true, tools);
  const own = leaf.certificate.fingerprint256;
  const isAnchor =
    isRoot(leaf.certificate) && trusted.some(({ certificate }) => certificate.fingerprint256 === own);
  return findChain({ ...leaf, isAnchor }, [...intermediates, ...trusted], tools.clock.now());
}

function place(
  ders: readonly Uint8Array[],
  isAnchor: boolean,
  { read = readCertificate }: TrustGuardOptions,
): Placed[] {
  return ders.flatMap((der) => {
    const certificate = read(der, "");
    return "code" in certificate ? [] : [{ certificate, where: "", isPresented: !isAnchor, isAnchor }];
  });
}
