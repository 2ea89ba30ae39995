/** A bundle that is wrong, and every code it has to be refused with. */
import type { CheckPolicy } from "../../../src/core/policy.ts";
import type { ProblemCode } from "../../../src/core/problem.ts";
import type { Values } from "../../support/examine.ts";
import { ecKey, type KeyPair, type Minted, mintAuthority, rsaKey } from "../../support/mint.ts";

/** What the tables have in common: keys that take long to make are made once. */
export interface Hierarchy {
  readonly root: Minted;
  readonly intermediate: Minted;
  readonly rsa: KeyPair;
  readonly weakRsa: KeyPair;
}

/** One row. */
export interface Fault {
  /** Completes the sentence "a bundle is refused …". */
  readonly what: string;
  readonly codes: readonly ProblemCode[];
  readonly policy?: Partial<CheckPolicy>;
  readonly values: (hierarchy: Hierarchy) => Values;
}

/** A root, an intermediate, and keys. */
export function createHierarchy(): Hierarchy {
  const root = mintAuthority("Root", { key: ecKey() });
  const intermediate = mintAuthority("Intermediate", { issuer: root, until: 90 });
  return { root, intermediate, rsa: rsaKey(), weakRsa: rsaKey(1024) };
}
