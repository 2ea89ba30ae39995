/** The context of a server that follows its bundles: proven before anybody takes it, and put in place whole. */
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { BundleSource } from "./bundle-source.ts";
import { type ContextOptions, contextOptionsOf } from "./context-options.ts";
import { contextIdOf, useTogether } from "./use-together.ts";

/** What `createServer` and `setSecureContext` take. */
export type ServerContext = SecureContextOptions & {
  /** A session is resumed only under the id it was made with, whoever kept it. */
  readonly sessionIdContext: string;
};

/**
 * Has a server take its context now, and after each turn of a bundle. The ticket keys are fresh each time, for a context of
 * its own has ticket keys of its own.
 *
 * @param sources The first is what the server presents; the others are presented by other means, for other names.
 * @param place Must not throw: OpenSSL has made a context of it before.
 * @returns Ends that.
 * @throws KeyturnError GENERATION_REFUSED where the first bundle has no leaf; what OpenSSL throws of `options.tls`.
 */
export function followServerContext(
  sources: readonly [BundleSource, ...BundleSource[]],
  options: ContextOptions,
  place: (context: ServerContext) => void,
): () => void {
  const { trust } = options;
  const followed = trust === undefined ? sources : [...sources, trust];
  return useTogether(followed, (current) => {
    const context = {
      ...contextOptionsOf(current(sources[0]), options, trust && current(trust)),
      sessionIdContext: contextIdOf(followed.map(current)),
    };
    // Of a bundle as it is, one was made when it was loaded: another one would only take time from the connections.
    if (options.tls !== undefined || trust !== undefined) createSecureContext(context);
    return () => place(context);
  });
}
