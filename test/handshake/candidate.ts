/** Candidates for handshakes, of minted certificates. */
import type { Candidate } from "../../src/core/handshake.ts";
import type { ProblemCode } from "../../src/core/problem.ts";
import { Secret } from "../../src/core/secret.ts";
import { createContexts } from "../../src/handshake/contexts.ts";
import { shakeHands } from "../../src/handshake/in-memory.ts";
import type { BareCandidate } from "../../src/handshake/messages.ts";
import { type Minted, mint, mintAuthority, type Wish } from "../support/mint.ts";

/** What is presented, and against what. */
export interface Presented {
  /** The leaf first; its key is the one that is used, but for `key`. */
  readonly chain: readonly [Minted, ...Minted[]];
  /** Left out: the chain is all there is. */
  readonly anchors?: readonly Minted[];
  readonly crls?: readonly string[];
  readonly key?: string;
}

/** A candidate as it comes to the room. */
export function candidateOf(presented: Presented, as: Candidate["as"] = "both"): Candidate {
  const { identity, ...rest } = bareCandidateOf(presented, as);
  return { ...rest, identity: { chain: identity.chain, key: new Secret(identity.key) } };
}

/** A candidate as the child gets it. */
export function bareCandidateOf(
  { chain, anchors = [], crls = [], key = chain[0].keyPem }: Presented,
  as: Candidate["as"] = "both",
): BareCandidate {
  return { identity: { chain: pemOf(chain), key }, trust: { anchors: pemOf(anchors), crls }, as };
}

/** A good leaf under an intermediate under a root; the wishes change one of them. */
export function presentedBy(wishes: {
  readonly leaf?: Wish;
  readonly intermediate?: Wish;
  readonly root?: Wish;
}): Presented & { readonly leaf: Minted; readonly intermediate: Minted; readonly root: Minted } {
  const root = mintAuthority("Root", wishes.root);
  const intermediate = mintAuthority("Intermediate", { issuer: root, ...wishes.intermediate });
  const leaf = mint({ issuer: intermediate, ...wishes.leaf });
  return { leaf, intermediate, root, chain: [leaf, intermediate], anchors: [root] };
}

function pemOf(certificates: readonly Minted[]): string {
  return certificates.map(({ pem }) => pem).join("");
}

/** The codes of what OpenSSL has against it, in the test's own process. */
export async function codesOf(presented: Presented, as: Candidate["as"] = "both"): Promise<ProblemCode[]> {
  const problems = await shakeHands(bareCandidateOf(presented, as), createContexts());
  return problems.map(({ code }) => code);
}
