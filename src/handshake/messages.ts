/** What keyturn and its handshake child say to each other: plain data, both ways. */
import type { Candidate, IdentityPem, Look, Sight } from "../core/handshake.ts";
import type { Problem } from "../core/problem.ts";

/** An identity on its way through the pipe, where a `Secret` cannot go: never kept, logged or given back. */
export interface BareIdentity {
  readonly chain: string;
  readonly key: string;
}

/** A candidate as the child gets it. */
export interface BareCandidate extends Omit<Candidate, "identity"> {
  readonly identity: BareIdentity;
}

/** A look as the child gets it. */
export interface BareLook extends Omit<Look, "client"> {
  readonly client: BareIdentity | null;
}

/** What the child is asked. */
export type Question =
  | { readonly kind: "prove"; readonly candidate: BareCandidate }
  | { readonly kind: "look"; readonly look: BareLook };

/** What it answers. */
export type Answer =
  | { readonly kind: "proven"; readonly problems: readonly Problem[] }
  | { readonly kind: "seen"; readonly sight: Sight }
  /** It could not do what was asked, and is well. */
  | { readonly kind: "broken"; readonly message: string };

/** From keyturn to the child. */
export interface Asked {
  readonly id: number;
  readonly question: Question;
}

/** From the child to keyturn. */
export type Said =
  /** It takes questions from now on. */
  | { readonly kind: "ready" }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer; readonly rssBytes: number };

/** Takes the key out of its `Secret`, at the mouth of the pipe. */
export function bareIdentity({ chain, key }: IdentityPem): BareIdentity {
  return { chain, key: key.reveal() };
}
