/** Bundles for tests, made when they are needed. */
import { type Authority, type Credential, createAuthority } from "../../src/dev/authority.ts";

export { type Authority, type Credential, createAuthority };

/** A bundle in the pieces people put. */
export interface BundlePems {
  readonly leaf: Credential;
  /** Leaf and intermediate. */
  readonly chain: string;
  readonly key: string;
  readonly ca: string;
  /** Everything in one text. */
  readonly whole: string;
}

/** Issues bundles under a root and an intermediate of its own. */
export interface BundleMaker {
  readonly root: Authority;
  readonly intermediate: Authority;
  make(...names: string[]): Promise<BundlePems>;
}

export async function createBundleMaker(): Promise<BundleMaker> {
  const root = await createAuthority("Test Root");
  const intermediate = await root.issueAuthority("Test Intermediate");
  return {
    root,
    intermediate,
    make: async (...names) => {
      const leaf = await intermediate.issue(names.length > 0 ? names : ["inference.local", "127.0.0.1"]);
      const chain = leaf.certificatePem + intermediate.certificatePem;
      const key = leaf.privateKeyPem;
      const ca = root.certificatePem;
      return { leaf, chain, key, ca, whole: chain + key + ca };
    },
  };
}
