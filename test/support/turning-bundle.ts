/** A bundle on disk that a test turns, written by the daemon's own store. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Generation } from "../../src/core/generation.ts";
import { type BundleSource, type FollowOptions, followBundle } from "../../src/hot-swap/bundle-source.ts";
import { bundleOf } from "./bundle.ts";
import { type CrlWish, type Minted, mint, mintAuthority, mintCrl, type Wish } from "./mint.ts";
import { makeLive, useStore } from "./store.ts";

/** A bundle that can be turned. */
export interface TurningBundle {
  /** The bundle's folder. */
  readonly dir: string;
  /** The authority of every leaf. */
  readonly root: Minted;
  /** Makes a new leaf current, with the root as trust anchor, or with what else is wished. */
  turn(wish?: TurnWish): Promise<Turned>;
}

/** What a generation is to hold. */
export interface TurnWish extends Wish {
  /** Whether there is a leaf; a bundle without one is there for its trust anchors. True. */
  readonly hasLeaf?: boolean;
  /** Trust anchors in place of the root; none is an empty list. */
  readonly anchors?: readonly Minted[];
  readonly crl?: Partial<CrlWish>;
}

/** What is current now. */
export interface Turned {
  readonly generation: Generation;
  readonly leaf: Minted;
  readonly fingerprint256: string;
}

/** A bundle of one name in a store of its own; nothing is current before the first turn. */
export async function useTurningBundle(t: TestContext, name = "inference", keep = 5): Promise<TurningBundle> {
  const { store, options } = await useStore(t, { keep });
  const root = mintAuthority("Test Root");
  let revision = 0;
  return {
    dir: join(options.dir, name),
    root,
    turn: async ({ anchors = [root], crl, hasLeaf = true, ...wish } = {}) => {
      const leaf = mint({ issuer: root, names: [`${name}.local`, "127.0.0.1"], ...wish });
      const crls = crl === undefined ? "" : mintCrl({ issuer: root, ...crl });
      const ca = anchors.map(({ pem }) => pem).join("");
      const values = {
        ...(hasLeaf ? { [`${name}/tls.crt`]: leaf.pem, [`${name}/tls.key`]: leaf.keyPem } : {}),
        ...(ca === "" ? {} : { [`${name}/ca.crt`]: ca }),
        ...(crls === "" ? {} : { [`${name}/ca.crl`]: crls }),
      };
      const generation = await makeLive(store, bundleOf(name, values, ++revision));
      return { generation, leaf, fingerprint256: generation.leaf?.fingerprint256 ?? "" };
    },
  };
}

/** Follows a bundle until the test is over. */
export async function useSource(
  t: TestContext,
  dir: string,
  options: FollowOptions = {},
): Promise<BundleSource> {
  const source = await followBundle(dir, options);
  t.after(() => source.close());
  return source;
}
