/** Bundles on disk that are turned by the daemon's own store: one for each server, so that none is turned for another. */
import { join } from "node:path";
import type { Bundle } from "../../../src/core/bundle.ts";
import { FileStore } from "../../../src/store/file-store.ts";
import { bundleOf } from "../../support/bundle.ts";
import { useFolder } from "../../support/folder.ts";
import { createBundleMaker } from "../../support/pki.ts";
import type { Scope } from "../../support/scope.ts";
import { makeLive, storeOptions } from "../../support/store.ts";

/** All bundles. */
export interface Turner {
  /** PEM: the root of every leaf. */
  readonly ca: string;
  /** Makes a bundle of that name, with a first generation. @returns Its folder. */
  add(name: string): Promise<string>;
  /** Makes the next generation current. @returns The fingerprint of its leaf. */
  turn(name: string): Promise<string>;
  /** Turns at that pace from here on. @returns Ends that, after the turn under way. */
  keepTurning(name: string, everyMs: number): () => Promise<void>;
}

/** Contents that come round: each is other than the one before. */
const CONTENTS = 10;

/** Opens the store; it is gone when the run is over. */
export async function useTurner(scope: Scope): Promise<Turner> {
  const options = storeOptions(await useFolder(scope));
  const store = await FileStore.open(options);
  scope.after(() => store.close());
  const maker = await createBundleMaker();
  const pems = await Promise.all(Array.from({ length: CONTENTS }, () => maker.make()));
  const bundles = new Map<string, { readonly contents: readonly Bundle[]; turns: number }>();
  const turn = async (name: string) => {
    const line = bundles.get(name);
    const next = line?.contents[line.turns++ % CONTENTS];
    if (next === undefined) throw new Error(`there is no bundle ${name}`);
    return (await makeLive(store, next)).leaf?.fingerprint256 ?? "";
  };
  return {
    ca: maker.root.certificatePem,
    add: async (name) => {
      const contents = pems.map(({ whole }, index) => bundleOf(name, { [name]: whole }, index + 1));
      bundles.set(name, { contents, turns: 0 });
      await turn(name);
      return join(options.dir, name);
    },
    turn,
    keepTurning: (name, everyMs) => {
      let failure: unknown;
      let last: Promise<unknown> = Promise.resolve();
      const timer = setInterval(() => {
        last = last
          .then(() => turn(name))
          .catch((thrown) => {
            failure = thrown;
          });
      }, everyMs);
      return async () => {
        clearInterval(timer);
        await last;
        if (failure !== undefined) throw failure;
      };
    },
  };
}
