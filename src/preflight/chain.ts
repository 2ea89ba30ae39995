/**
 * Which certificates lead from the leaf to a trust anchor, and which of them are sent.
 *
 * OpenSSL takes the first issuer that fits among those it trusts, then among those that were sent, and never goes back.
 * So of several ways the best one is chosen here, and only that one is sent.
 */
import type { CertificateFacts } from "./certificate.ts";
import { isAuthority, isNamedBy, isRoot, issuanceOf } from "./issuer.ts";

/** A certificate of a bundle. */
export interface Placed {
  readonly certificate: CertificateFacts;
  /** Key of etcd and line, for messages. */
  readonly where: string;
  /** Whether it came as part of the chain, and may be sent. */
  readonly isPresented: boolean;
  /** Whether it is trusted. A leaf is only where it signed itself. */
  readonly isAnchor: boolean;
}

/** The chain of a leaf. */
export interface Chain {
  /** The leaf, then each issuer of the one before it: as far as the bundle has them, up to a root. */
  readonly path: readonly Placed[];
  /** What a server sends: no root, nothing twice, nothing that does not belong to it (RFC 8446 §4.4.2). */
  readonly sent: readonly Placed[];
}

/** One step up. */
interface Step {
  readonly issuer: Placed;
  readonly cost: number;
}

/** The steps up from a certificate. */
type Steps = (from: Placed) => readonly Step[];

/** A step that has a flaw costs more than any way without one: a bundle has at most 64 certificates. */
const FLAW = 1_000;
/** Pairs of certificates whose signature is looked at. A bundle made to keep the daemon busy could have thousands. */
const MAX_PAIRS = 256;

/**
 * Finds the chain. Time is at most quadratic in the number of certificates, and bounded where many have one name.
 *
 * @param others Every other certificate of the bundle, once.
 */
export function findChain(leaf: Placed, others: readonly Placed[], now: Date): Chain {
  const steps = rememberSteps(others, now);
  const way = cheapestToAnchor(leaf, steps) ?? climb(leaf, steps);
  // A root that came along is neither sent nor trusted: where nothing is trusted, it does not matter what it is like.
  const isOpen = !others.some(({ isAnchor }) => isAnchor);
  const path = isOpen ? way.filter((one) => one === leaf || !isRoot(one.certificate)) : way;
  const sent = path.filter((one) => one === leaf || (one.isPresented && !isRoot(one.certificate)));
  // What goes on from there without a flaw serves peers that trust another root than this bundle brings.
  const more = climb(sent.at(-1) ?? leaf, (from) =>
    steps(from).filter(
      ({ issuer, cost }) =>
        cost < FLAW && issuer.isPresented && !isRoot(issuer.certificate) && !sent.includes(issuer),
    ),
  );
  return { path, sent: [...sent, ...more.slice(1)] };
}

/** Whether the path ends where a peer that trusts the bundle's anchors would end it. */
export function reachesAnchor(path: readonly Placed[]): boolean {
  const last = path.at(-1);
  return last !== undefined && isEnd(last);
}

/** OpenSSL does not stop at a trust anchor that has an issuer of its own. */
function isEnd({ certificate, isAnchor }: Placed): boolean {
  return isAnchor && isRoot(certificate);
}

/** Dijkstra's way to the nearest root that is trusted; undefined where none is reached. */
function cheapestToAnchor(leaf: Placed, steps: Steps): Placed[] | undefined {
  const paths = new Map<Placed, { readonly path: readonly Placed[]; readonly cost: number }>();
  paths.set(leaf, { path: [leaf], cost: 0 });
  const done = new Set<Placed>();
  for (;;) {
    const open = [...paths.entries()].filter(([one]) => !done.has(one));
    const [nearest] = open.sort(([, a], [, b]) => a.cost - b.cost);
    if (nearest === undefined) return undefined;
    const [at, { path, cost }] = nearest;
    if (isEnd(at)) return [...path];
    done.add(at);
    for (const step of steps(at)) {
      const total = cost + step.cost;
      if (total < (paths.get(step.issuer)?.cost ?? Number.POSITIVE_INFINITY))
        paths.set(step.issuer, { path: [...path, step.issuer], cost: total });
    }
  }
}

/** As far up as it goes, by the best step each time. */
function climb(from: Placed, steps: Steps): Placed[] {
  const path = [from];
  for (let at: Placed | undefined = from; at !== undefined; ) {
    const [best] = steps(at)
      .filter(({ issuer }) => !path.includes(issuer))
      .sort((a, b) => a.cost - b.cost);
    at = best?.issuer;
    if (at !== undefined) path.push(at);
  }
  return path;
}

/** Looks at each certificate once, however often it is asked for. */
function rememberSteps(others: readonly Placed[], now: Date): Steps {
  const known = new Map<Placed, readonly Step[]>();
  let pairs = 0;
  const looksAt = ({ certificate }: Placed, { certificate: issuer }: Placed) =>
    isNamedBy(certificate, issuer) && ++pairs <= MAX_PAIRS;
  return (from) => {
    const steps = known.get(from) ?? stepsFrom(from, others, now, looksAt);
    known.set(from, steps);
    return steps;
  };
}

/** Every certificate that may have issued this one; what came as part of the chain first. */
function stepsFrom(
  from: Placed,
  others: readonly Placed[],
  now: Date,
  looksAt: (from: Placed, issuer: Placed) => boolean,
): Step[] {
  if (isRoot(from.certificate)) return [];
  return others.flatMap((issuer) => {
    // OpenSSL looks for the issuer of what it trusts only among what it trusts.
    if (issuer === from || (from.isAnchor && !issuer.isAnchor) || !looksAt(from, issuer)) return [];
    const issuance = issuanceOf(from.certificate, issuer.certificate);
    if (issuance === undefined) return [];
    const { notBefore, notAfter } = issuer.certificate;
    const flaws = [
      !issuance.isIdentified,
      !issuance.isSigned,
      now < notBefore || now > notAfter,
      !isAuthority(issuer.certificate),
    ].filter((isFlaw) => isFlaw).length;
    return [{ issuer, cost: 1 + flaws * FLAW }];
  });
}
