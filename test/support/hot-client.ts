/** A client's bundle that turns, its credentials, and a server that says who calls. */
import type { TestContext } from "node:test";
import type { BundleSource } from "../../src/hot-swap/bundle-source.ts";
import { type HotCredentials, hotCredentials } from "../../src/hot-swap/hot-credentials.ts";
import { type IdentifyingServer, useIdentifyingServer } from "./identifying-server.ts";
import { mintAuthority } from "./mint.ts";
import { type TurnWish, useSource, useTurningBundle } from "./turning-bundle.ts";

/** What a test of a client works with. */
export interface HotClient {
  readonly hot: HotCredentials;
  readonly source: BundleSource;
  readonly server: IdentifyingServer;
  /** Fingerprint of the certificate that was current first. */
  readonly first: string;
  /** Turns the client's bundle; resolves with the certificate's fingerprint when it is followed. */
  turn(wish?: TurnWish): Promise<string>;
}

/** Sets it up until the test is over. */
export async function useHotClient(t: TestContext): Promise<HotClient> {
  const serverRoot = mintAuthority("Servers");
  const bundle = await useTurningBundle(t, "client");
  const wish = { anchors: [serverRoot] };
  const first = await bundle.turn(wish);
  const source = await useSource(t, bundle.dir);
  const server = await useIdentifyingServer(t, serverRoot, bundle.root);
  return {
    hot: hotCredentials(source),
    source,
    server,
    first: first.fingerprint256,
    turn: async (other) => {
      const { fingerprint256 } = await bundle.turn({ ...wish, ...other });
      await source.reload();
      return fingerprint256;
    },
  };
}
