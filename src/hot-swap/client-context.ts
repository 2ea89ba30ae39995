/** What a client presents and trusts now: one context for each generation, which all its connections share. */
import { createSecureContext, type SecureContext } from "node:tls";
import type { BundleSource } from "./bundle-source.ts";
import { type ContextOptions, clientOptionsOf } from "./context-options.ts";
import { type Current, contextIdOf, useTogether } from "./use-together.ts";

/** What a client has of one generation. */
interface Version {
  /** Another one for each generation. */
  readonly id: string;
  readonly secureContext: SecureContext;
}

/** A client's context that follows its bundles. */
export class ClientContext {
  #current: Version;
  readonly #listeners = new Set<() => void>();
  readonly #end: () => void;

  /** @throws what OpenSSL throws of `options.tls`. */
  constructor(source: BundleSource, options: ContextOptions) {
    const { trust } = options;
    const followed = trust === undefined ? [source] : [source, trust];
    const make = (current: Current): Version => ({
      id: contextIdOf(followed.map(current)),
      secureContext: createSecureContext(clientOptionsOf(current(source), options, trust && current(trust))),
    });
    this.#current = make((of) => of.current);
    this.#end = useTogether(followed, (current) => {
      const next = make(current);
      return () => {
        this.#current = next;
        for (const listener of this.#listeners) listener();
      };
    });
  }

  get current(): Version {
    return this.#current;
  }

  /**
   * Calls when another one is current.
   *
   * @param listener Must not throw.
   * @returns Ends that.
   */
  onSwap(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Follows no longer: what is current stays so. */
  close(): void {
    this.#end();
  }
}
