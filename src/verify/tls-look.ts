/** One look at what a service serves over TLS, judged: a fresh session, with the name and the certificate of a client. */
import { isIP } from "node:net";
import type { LeafSummary } from "../core/bundle.ts";
import type { DaemonEvent, Report } from "../core/events.ts";
import type { Generation } from "../core/generation.ts";
import type { IdentityPem, LookAt, Protocol, TrustPem } from "../core/handshake.ts";
import type { BundleName } from "../core/names.ts";
import type { Clock } from "../runtime/clock.ts";
import { lookTimeoutMs } from "./patience.ts";
import { judge, type Verdict } from "./verdict.ts";

/** Where to look: `services[].verify.tls`. */
export interface TlsProbe {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  /** What it speaks before TLS; nothing where it is not given. */
  readonly protocol?: Protocol | undefined;
  /** Server name indication; the first DNS name of the leaf where it is not given. */
  readonly serverName?: string | undefined;
  /** How long the service may take. */
  readonly withinMs: number;
  /** Sessions in a row that all have to get it. */
  readonly connections: number;
  /** The bundle whose certificate is presented, where the service asks for one. */
  readonly clientBundle?: BundleName | undefined;
}

/** What a probe works with. */
export interface TlsTools {
  readonly lookAt: LookAt;
  /** What the generation came with; null where it brought no anchors: its chain is then not judged. */
  readonly trustOf: (generation: Generation) => Promise<TrustPem | null>;
  /** What is current of a bundle; null where there is none, and nothing is presented. Asked anew for each look. */
  readonly clientOf: (bundle: BundleName) => Promise<IdentityPem | null>;
  readonly clock: Clock;
  readonly report: Report;
}

/** A look, judged, and the event that tells of it. */
export interface Looked {
  readonly verdict: Verdict;
  readonly event: Extract<DaemonEvent, { type: "service.looked" }>;
}

/** One look, judged and not reported; null where the generation has no leaf to look for. */
export async function lookTls(
  probe: TlsProbe,
  expected: Generation,
  tools: TlsTools,
  signal: AbortSignal,
): Promise<Looked | null> {
  if (expected.leaf === null) return null;
  return lookForLeaf(probe, expected, expected.leaf, tools, lookTimeoutMs(probe.withinMs), signal);
}

/** The same for its leaf, within a time that is given. */
export async function lookForLeaf(
  probe: TlsProbe,
  expected: Generation,
  leaf: LeafSummary,
  tools: TlsTools,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Looked> {
  const { host, port, protocol = "tls", clientBundle } = probe;
  const serverName = serverNameOf(probe, leaf);
  const [trust, client] = await Promise.all([
    tools.trustOf(expected),
    clientBundle === undefined ? null : tools.clientOf(clientBundle),
  ]);
  const judged = trust !== null && trust.anchors !== "" ? trust : null;
  const look = { host, port, protocol, serverName, trust: judged, client, timeoutMs };
  const verdict = judge(await tools.lookAt(look, signal), leaf, probe, tools.clock.now());
  const event = {
    type: "service.looked",
    service: probe.service,
    bundle: expected.name,
    serverName: serverName ?? "",
    matches: verdict.kind === "matches",
    reason: verdict.kind === "matches" ? null : verdict.reason,
    message: verdict.message,
  } as const;
  return { verdict, event };
}

/** The name to ask for; null for none, as for an IP address (RFC 6066 §3). */
function serverNameOf({ serverName }: TlsProbe, { dnsNames }: LeafSummary): string | null {
  const underWildcard = dnsNames.find((name) => name.startsWith("*."))?.replace("*", "keyturn");
  const name = serverName ?? dnsNames.find((one) => !one.includes("*")) ?? underWildcard;
  return name === undefined || isIP(name) !== 0 ? null : name;
}
