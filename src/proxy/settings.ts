/** What a proxy is told: where it listens, whom it stands in front of, whom it lets in, and how long it waits. */
import type { ConnectionAge } from "../hot-swap/old-connections.ts";
import type { HookProof } from "../hot-swap/take-hook.ts";

/** An address to listen on or to connect to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The service behind the proxy. */
export type Target = Address | { readonly socketPath: string };

/** `required`: nobody comes in without one. `optional`: whoever presents one has to present a good one. */
export type ClientCertificates = "required" | "optional" | "off";

/** Bytes are passed as they are. */
export interface BytesMode {
  readonly kind: "bytes";
  /** Offered by ALPN (RFC 7301), as the service behind speaks them; none: ALPN is not answered. */
  readonly alpn: readonly string[];
}

/** HTTP/1.1 and HTTP/2 are understood, and passed as HTTP/1.1. */
export interface HttpMode {
  readonly kind: "http";
  /** Whether `x-forwarded-*` of clients are believed: only where another proxy stands in front. */
  readonly trustForwarded: boolean;
  /** Milliseconds from the end of a request to the head of its answer; 0 for as long as it takes. */
  readonly responseTimeoutMs: number;
  readonly maxConnectionAge?: ConnectionAge | undefined;
}

/** Everything a proxy is told; times in milliseconds. */
export interface ProxySettings {
  readonly listen: Address;
  readonly to: Target;
  readonly mode: BytesMode | HttpMode;
  /** The folder of the bundle that is served. */
  readonly bundleDir: string;
  readonly clientCertificates: ClientCertificates;
  /** The folder of the bundle whose authorities issue client certificates; else they are those of what is served. */
  readonly trustDir?: string | undefined;
  /** Where the daemon tells of new generations; they are seen without it too. */
  readonly hook?: { readonly listen: Address; readonly proof: HookProof } | undefined;
  /** Where metrics, health and readiness are shown. */
  readonly metrics?: Address | undefined;
  /** To wait for a first generation. */
  readonly firstWithinMs: number;
  readonly handshakeTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

/** How a target is named in texts. */
export function shownTarget(to: Target): string {
  return "socketPath" in to ? `unix:${to.socketPath}` : shownAddress(to);
}

/** `host:port`, with brackets around IPv6. */
export function shownAddress({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
