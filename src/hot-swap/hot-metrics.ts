/** Metrics of bundles that a program follows, and of its servers, in the program's own registry. */
import type { Server, TLSSocket } from "node:tls";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { KeyturnError } from "../core/errors.ts";
import type { BundleSource } from "./bundle-source.ts";
import type { BundleVersion } from "./bundle-version.ts";
import { handshakeReason } from "./handshake-reason.ts";

/** What is measured. */
export interface Measured {
  readonly sources: readonly BundleSource[];
  readonly servers?: readonly Server[];
}

/** The first buckets are what a swap takes on a quiet machine. */
const SWAP_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * Registers the metrics and keeps them: `tls_cert_not_after_seconds{bundle,subject,issuer}` (Unix time),
 * `keyturn_followed_generation_info{bundle,generation,digest}`, `keyturn_swap_duration_seconds{bundle}`,
 * `keyturn_swap_failures_total{bundle,code}`, `tls_handshake_failure_total{reason,server_name}`. A `server_name` is one of
 * the names in the leaves, or empty: what a client asks for is not taken over.
 *
 * @returns Ends the measuring; the metrics stay registered.
 * @throws what prom-client throws where one of these names is registered already: call it once for each registry.
 */
export function hotMetrics(registry: Registry, { sources, servers = [] }: Measured): () => void {
  const registers = [registry];
  const notAfter = new Gauge({
    name: "tls_cert_not_after_seconds",
    help: "When the certificate that is served ends, in Unix time.",
    labelNames: ["bundle", "subject", "issuer"],
    registers,
  });
  const info = new Gauge({
    name: "keyturn_followed_generation_info",
    help: "1 for the generation that is served of a bundle.",
    labelNames: ["bundle", "generation", "digest"],
    registers,
  });
  const duration = new Histogram({
    name: "keyturn_swap_duration_seconds",
    help: "Time to load a generation and to put it in place.",
    labelNames: ["bundle"],
    buckets: SWAP_BUCKETS_S,
    registers,
  });
  const failures = new Counter({
    name: "keyturn_swap_failures_total",
    help: "Generations that could not be loaded or used; what was served before is served on.",
    labelNames: ["bundle", "code"],
    registers,
  });
  const handshakes = new Counter({
    name: "tls_handshake_failure_total",
    help: "Handshakes of clients that failed.",
    labelNames: ["reason", "server_name"],
    registers,
  });

  const show = ({ bundle, generation, digest, leaf }: BundleVersion) => {
    const about = { bundle, generation, digest };
    info.set(about, 1);
    if (leaf === null) return () => info.remove(about);
    const ends = { bundle, subject: leaf.subject, issuer: leaf.issuer };
    notAfter.set(ends, Date.parse(leaf.notAfter) / 1000);
    return () => {
      info.remove(about);
      notAfter.remove(ends);
    };
  };
  const isOurs = (name: string) =>
    sources.some(({ current }) => current.leaf?.dnsNames.includes(name) ?? false);
  const onClientError = (error: Error, socket: TLSSocket) => {
    const { servername: asked } = socket as { readonly servername?: unknown };
    const server_name = typeof asked === "string" && isOurs(asked) ? asked : "";
    handshakes.inc({ reason: handshakeReason(error, socket), server_name });
  };

  const ends = sources.map((source) => {
    let hide = show(source.current);
    const onSwap = (version: BundleVersion, tookMs: number) => {
      hide();
      hide = show(version);
      duration.observe({ bundle: source.name }, tookMs / 1000);
    };
    const onRefusal = ({ code }: KeyturnError) => failures.inc({ bundle: source.name, code });
    source.on("swapped", onSwap);
    source.on("refused", onRefusal);
    return () => source.off("swapped", onSwap).off("refused", onRefusal);
  });
  for (const server of servers) server.on("tlsClientError", onClientError);
  return () => {
    for (const end of ends) end();
    for (const server of servers) server.off("tlsClientError", onClientError);
  };
}
