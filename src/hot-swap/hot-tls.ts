/** A TLS server that follows its bundle: new connections get the new certificate, live ones go on. */
import type { Server } from "node:tls";
import { BundleSource } from "./bundle-source.ts";
import type { ContextOptions } from "./context-options.ts";
import { type ConnectionAge, followConnections } from "./old-connections.ts";
import { followServerContext } from "./server-context.ts";
import type { ServerNames } from "./server-names.ts";

/** How a server follows. */
export interface HotTlsOptions extends ContextOptions {
  /** When connections have to end that were made with an earlier generation; else they live as long as they like. */
  readonly maxConnectionAge?: ConnectionAge;
}

/** A server that follows. */
export interface HotTls {
  /** The server goes on with what it has. */
  close(): void;
}

/**
 * Gives a `tls`, `https` or `http2` server what is current of a bundle, and each generation after it. The whole context is
 * swapped, in one step: certificate, key, authorities and CRLs. A session ticket of an earlier generation is no way in: a
 * client that the new authorities or CRLs refuse makes a full handshake, and is refused.
 *
 * Whether clients have to present a certificate is said to `createServer`, by `requestCert`.
 *
 * @param of A bundle, or several with the names they are for: the server then has to be created with their `SNICallback`.
 * @throws KeyturnError GENERATION_REFUSED where the bundle has no leaf; what OpenSSL throws of `options.tls`; TypeError for
 * `maxConnectionAge` of a server that is neither `https` nor `http2`.
 */
export function hotTls(server: Server, of: BundleSource | ServerNames, options: HotTlsOptions = {}): HotTls {
  const sources = of instanceof BundleSource ? ([of] as const) : of.sources;
  const contextOptions = of instanceof BundleSource ? options : { ...of.options, ...options };
  const connections = options.maxConnectionAge && followConnections(server, options.maxConnectionAge);
  const end = followServerContext(sources, contextOptions, (context) => {
    server.setSecureContext(context);
    connections?.supersede();
  });
  return {
    close: () => {
      end();
      connections?.close();
    },
  };
}
