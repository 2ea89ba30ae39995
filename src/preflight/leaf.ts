/** Which certificate of a bundle is its leaf: the one that its private key belongs to. */
import type { Problem } from "../core/problem.ts";
import { listSome } from "../core/words.ts";
import type { CertificateFacts } from "./certificate.ts";
import type { Placed } from "./chain.ts";
import { isRoot } from "./issuer.ts";
import type { PrivateKeyFacts } from "./private-key.ts";

/** The leaf, and what is wrong with it. */
export interface LeafResult {
  /** Where the key does not say it: the one certificate that can be it, so that its other faults are named too. */
  readonly leaf: Placed | undefined;
  readonly problem: Problem | undefined;
}

/**
 * Finds the leaf. Neither leaf nor problem: this is a trust bundle.
 *
 * @param placed Certificates that came as part of the chain before those that are trusted only.
 * @param isUnclear Whether something could not be read: what is missing may be that.
 */
export function findLeaf(
  placed: readonly Placed[],
  key: PrivateKeyFacts | undefined,
  isUnclear: boolean,
): LeafResult {
  const presented = placed.filter(({ isPresented }) => isPresented);
  const likely = onlyOne(presented.filter(({ certificate }) => mayBeLeaf(certificate)));
  const refuse = (problem: Problem): LeafResult => ({
    leaf: likely,
    problem: isUnclear ? undefined : problem,
  });
  if (key === undefined) {
    if (presented.length === 0 && placed.length > 0) return { leaf: undefined, problem: undefined };
    return refuse(presented.length === 0 ? leafMissing("no certificate") : keyMissing(presented));
  }
  const fitting = placed.filter(({ certificate }) => certificate.fits(key.key));
  if (fitting.length > 1) return refuse(ambiguous(fitting));
  const [leaf] = fitting;
  if (leaf !== undefined) return { leaf, problem: undefined };
  return refuse(
    presented.length === 0 ? leafMissing("a private key and no certificate for it") : mismatch(presented),
  );
}

function mayBeLeaf(certificate: CertificateFacts): boolean {
  return certificate.constraints?.isCa !== true && !isRoot(certificate);
}

function onlyOne<T>(all: readonly T[]): T | undefined {
  return all.length === 1 ? all[0] : undefined;
}

function leafMissing(what: string): Problem {
  const message = `there is ${what}; put the leaf${what === "no certificate" ? " and its chain" : ""}`;
  return { code: "LEAF_MISSING", message };
}

function keyMissing([first]: readonly Placed[]): Problem {
  return {
    code: "KEY_MISSING",
    message: `there is no private key for ${first?.certificate.subject}; put it too`,
  };
}

function mismatch(presented: readonly Placed[]): Problem {
  const subjects = listSome(
    presented.map(({ certificate }) => certificate.subject),
    "; ",
  );
  return {
    code: "KEY_MISMATCH",
    message: `the private key belongs to none of the certificates (${subjects}); put the key of the leaf`,
  };
}

function ambiguous(fitting: readonly Placed[]): Problem {
  const serials = listSome(fitting.map(({ certificate }) => certificate.serial));
  return {
    code: "LEAF_AMBIGUOUS",
    message: `the key fits several certificates (serials ${serials}); put one`,
  };
}
