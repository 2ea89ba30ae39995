/** Several bundles on one server: each connection gets the one whose leaf is for the name it asks for (RFC 6066 §3). */
import { createSecureContext, type SecureContext } from "node:tls";
import type { BundleSource } from "./bundle-source.ts";
import type { BundleVersion } from "./bundle-version.ts";
import { type ContextOptions, contextOptionsOf } from "./context-options.ts";

/** Gives the context for a name that a client asks for; undefined for the server's own. */
type SniCallback = (name: string, done: (error: Error | null, context?: SecureContext) => void) => void;

/** Several bundles for one server. */
export interface ServerNames {
  /** The first one is for clients that ask for no name, or for one that no leaf is for. */
  readonly sources: readonly [BundleSource, ...BundleSource[]];
  readonly options: ContextOptions;
  /** For `createServer`. Contexts are made when a bundle changes, and not for each connection. */
  readonly SNICallback: SniCallback;
  close(): void;
}

/** What is served of one bundle. */
interface Served {
  readonly names: readonly string[];
  readonly context: SecureContext;
}

/**
 * Chooses among bundles by the names in their leaves; of several for one name, the first. Hand `SNICallback` to
 * `createServer`, and the whole to `hotTls`.
 *
 * @throws KeyturnError GENERATION_REFUSED where a bundle has no leaf.
 */
export function serverNames(
  sources: readonly [BundleSource, ...BundleSource[]],
  options: ContextOptions = {},
): ServerNames {
  const { trust } = options;
  let served = new Map<BundleSource, Served>();
  const prepare = (changed: BundleSource, version: BundleVersion) => {
    const now = (source: BundleSource) => (source === changed ? version : source.current);
    const affected = changed === trust ? sources : [changed];
    const ready = affected.map((source): [BundleSource, Served] => [
      source,
      servedOf(now(source), options, trust && now(trust)),
    ]);
    return () => {
      served = new Map([...served, ...ready]);
    };
  };
  const followed = new Set(trust === undefined ? sources : [...sources, trust]);
  const ends = [...followed].map((source) => source.use({ prepare: (version) => prepare(source, version) }));
  return {
    sources,
    options,
    SNICallback: (name, done) => {
      const wanted = name.toLowerCase();
      const one = sources.find((source) => served.get(source)?.names.some((known) => isFor(known, wanted)));
      done(null, one && served.get(one)?.context);
    },
    close: () => {
      for (const end of ends) end();
    },
  };
}

function servedOf(
  version: BundleVersion,
  options: ContextOptions,
  trusted: BundleVersion | undefined,
): Served {
  const context = createSecureContext(contextOptionsOf(version, options, trusted));
  const names = (version.leaf?.dnsNames ?? []).map((name) => name.toLowerCase());
  return { names, context };
}

/** A wildcard stands for one whole label, the first (RFC 6125 §6.4.3). */
function isFor(known: string, wanted: string): boolean {
  if (!known.startsWith("*.")) return known === wanted;
  const dot = wanted.indexOf(".");
  return dot > 0 && known.slice(1) === wanted.slice(dot);
}
