/** The probes of one service as one: first what it serves, then whether it is ready. */
import type { Generation } from "../core/generation.ts";
import { matchesAny } from "../core/glob.ts";
import type { Protocol } from "../core/handshake.ts";
import { type BundleName, bundleName } from "../core/names.ts";
import type { ServiceAnswer } from "../core/service.ts";
import { verifyHttp } from "./http-probe.ts";
import { type Looked, lookTls, type TlsProbe, type TlsTools } from "./tls-look.ts";
import { servesTls, verifyTls } from "./tls-probe.ts";

/** `services[].verify` of the configuration. */
export interface ProbeSettings {
  readonly tls?: TlsSettings | undefined;
  readonly http?: { readonly url: string; readonly expect: number; readonly within: number } | undefined;
}

interface TlsSettings {
  readonly address: { readonly host: string; readonly port: number };
  readonly protocol?: Protocol | undefined;
  readonly serverName?: string | undefined;
  /** Milliseconds. */
  readonly within: number;
  readonly connections: number;
  readonly clientBundle?: string | undefined;
  readonly bundles?: readonly string[] | undefined;
}

/** What is asked of a service's probes. */
export interface Probes {
  /** Waits for all of them, each within its own deadline; a bundle that is not served over TLS waits for HTTP alone. */
  verify(generation: Generation, signal: AbortSignal): Promise<ServiceAnswer>;
  /**
   * Whether it was seen, now, that the generation is served. HTTP is not asked: being ready says nothing of it. False
   * for a bundle that is not served over TLS, and for one without a leaf.
   */
  serves(generation: Generation, signal: AbortSignal): Promise<boolean>;
  /** One look, not reported; null where nothing of the generation can be seen. */
  look(generation: Generation, signal: AbortSignal): Promise<Looked | null>;
}

/** Makes the probes of a service that were configured; with none of them, `verify` is done at once. */
export function createProbes(service: string, { tls, http }: ProbeSettings, tools: TlsTools): Probes {
  const tlsProbe = tls && toProbe(service, tls);
  const probeOf = ({ name }: Generation): TlsProbe | undefined =>
    tls !== undefined && isServed(name, tls) ? tlsProbe : undefined;
  return {
    verify: async (generation, signal) => {
      const probe = probeOf(generation);
      const seen = probe && (await verifyTls(probe, generation, tools, signal));
      if (seen !== undefined && seen.kind !== "done") return seen;
      if (http === undefined) return { kind: "done" };
      return verifyHttp({ service, ...http, withinMs: http.within }, tools.clock, signal);
    },
    serves: async (generation, signal) => {
      const probe = probeOf(generation);
      return probe !== undefined && servesTls(probe, generation, tools, signal);
    },
    look: async (generation, signal) => {
      const probe = probeOf(generation);
      return probe === undefined ? null : lookTls(probe, generation, tools, signal);
    },
  };
}

function toProbe(
  service: string,
  { address, within, clientBundle, protocol, serverName, connections }: TlsSettings,
): TlsProbe {
  // What is not the name of a bundle is never there: nothing is presented.
  const client = clientBundle === undefined ? undefined : bundleName(clientBundle);
  return { service, ...address, protocol, serverName, withinMs: within, connections, clientBundle: client };
}

/** The certificate that is presented is taken for one that is served only where it is named, not by a pattern. */
function isServed(name: BundleName, { bundles, clientBundle }: TlsSettings): boolean {
  if (name === clientBundle) return bundles?.includes(name) ?? false;
  return bundles === undefined || matchesAny(name, bundles);
}
