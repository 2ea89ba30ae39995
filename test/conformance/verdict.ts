/** What became of a test case. */
import type { Problem } from "../../src/core/problem.ts";

/** What keyturn says of a test case, or what it did over it. */
export type Verdict =
  | { readonly kind: "accepted" }
  | { readonly kind: "rejected"; readonly problems: readonly Problem[] }
  /** Keyturn has no setting for what the case asks, or cannot take the way the case would have to go. */
  | { readonly kind: "notApplicable"; readonly why: string }
  /** A fault of keyturn: a check threw, gave no answer in time, or took the process with it. */
  | { readonly kind: "broken" | "hung" | "crashed"; readonly how: string };

/** Gives the verdict of one test case, as its JSON says it. */
export type Examine = (json: unknown) => Promise<Verdict>;
