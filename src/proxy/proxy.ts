/**
 * TLS in front of a service that has none, or cannot turn its certificate:
 *
 *     clients ─ TLS, hot swap ─► bytes or HTTP ─► target, plain, on this node
 *                    ▲
 *     bundle on disk ┘  watched, and told of by the daemon's hook
 */
import type { SecureServerOptions } from "node:http2";
import type { Server, TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import { KeyturnError } from "../core/errors.ts";
import { type BundleSource, followBundle } from "../hot-swap/bundle-source.ts";
import { hotMetrics } from "../hot-swap/hot-metrics.ts";
import { hotTls } from "../hot-swap/hot-tls.ts";
import { reloadHook } from "../hot-swap/reload-hook.ts";
import { later } from "../runtime/clock.ts";
import { type CloseStack, openTogether } from "../runtime/close-stack.ts";
import { createBytesServer, passConnections } from "./bytes-server.ts";
import { type Clients, followClients } from "./clients.ts";
import { createAgent, createHttpFront } from "./http-server.ts";
import { logProxy, type ProxyLog } from "./log.ts";
import { createMetrics, type ProxyMetrics } from "./metrics.ts";
import type { ProxySettings } from "./settings.ts";
import { listen, showMetrics, takeHooks } from "./side-servers.ts";
import { createTarget, type TargetService } from "./target.ts";

/** A proxy that runs. */
export interface RunningProxy {
  readonly port: number;
  /** Undefined where `metrics` is not set. */
  readonly metricsUrl: string | undefined;
  /** Loads what is current on disk now. Never rejects: why it is not used is logged. */
  reload(): Promise<void>;
  /** Takes no new connections, ends those that are there with what is under way on them, and cuts what is left. */
  drain(withinMs: number): Promise<void>;
}

/** What a proxy is started with. */
interface Parts {
  readonly settings: ProxySettings;
  readonly target: TargetService;
  readonly metrics: ProxyMetrics;
  readonly open: Set<TLSSocket>;
  readonly log: ProxyLog;
  readonly closes: CloseStack;
}

/** Between the connections of a client that says nothing and is still there, and the probes for it. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: 30_000 };

/**
 * Starts it: it serves when this resolves.
 *
 * @param signal Ends the waiting for a first generation.
 * @throws KeyturnError BUNDLE_ABSENT, GENERATION_REFUSED, LISTEN_FAILED.
 */
export function startProxy(
  settings: ProxySettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<RunningProxy> {
  return openTogether((closes) => start(settings, logger, signal, closes));
}

async function start(
  settings: ProxySettings,
  logger: Logger,
  signal: AbortSignal,
  closes: CloseStack,
): Promise<RunningProxy> {
  const registry = new Registry();
  const open = new Set<TLSSocket>();
  const metrics = createMetrics(registry, () => open.size);
  const target = createTarget(settings.to, settings.connectTimeoutMs, metrics);
  let state: "waiting" | "serving" | "draining" = "waiting";
  const notReady = async () => {
    if (state !== "serving") return [state === "waiting" ? "no bundle was loaded yet" : "it is stopping"];
    return (await target.accepts()) ? [] : [`${target.name} takes no connection`];
  };
  const shown = settings.metrics && (await showMetrics(settings.metrics, { registry, notReady }));
  if (shown !== undefined) closes.push(shown.close);

  const source = await follow(settings.bundleDir, settings, signal, closes);
  const trust =
    settings.trustDir === undefined ? undefined : await follow(settings.trustDir, settings, signal, closes);
  if (settings.clientCertificates !== "off") requireTrust(trust ?? source);
  const sources = trust === undefined ? [source] : [source, trust];
  const log = logProxy(logger, target.name);
  log.follow(sources);
  const { server, clients, wind } = createFront({ settings, target, metrics, open, log, closes });
  const { mode } = settings;
  const maxConnectionAge = mode.kind === "http" ? mode.maxConnectionAge : undefined;
  hotTls(server, source, { trust, ...(maxConnectionAge === undefined ? {} : { maxConnectionAge }) });
  closes.push(hotMetrics(registry, { sources, servers: [server] }));
  server.on("tlsClientError", log.handshakeFailed);

  const hook =
    settings.hook && (await takeHooks(settings.hook.listen, reloadHook(sources, settings.hook.proof)));
  if (hook !== undefined) closes.push(hook.close);
  const address = await listen(server, settings.listen, "--listen");
  state = "serving";
  log.running({ address, mode: mode.kind, metrics: shown?.url, hook: hook?.url, source });
  return {
    port: address.port,
    metricsUrl: shown?.url,
    reload: async () => {
      await Promise.allSettled(sources.map((each) => each.reload()));
    },
    drain: async (withinMs) => {
      state = "draining";
      const closed = clients.closed();
      // Said when it is true: whoever reads it may count on it that a new client is refused.
      log.draining(open.size);
      wind();
      let left = 0;
      const cancel = later(withinMs, () => {
        left = open.size;
        clients.cut();
      });
      await closed;
      cancel();
      await closes.close();
      log.stopped(left);
    },
  };
}

async function follow(
  dir: string,
  { firstWithinMs }: ProxySettings,
  signal: AbortSignal,
  closes: CloseStack,
): Promise<BundleSource> {
  const source = await followBundle(dir, { firstWithinMs, signal });
  closes.push(() => source.close());
  return source;
}

/** Later generations may bring none, and then nobody comes in; at the start it is a mistake. */
function requireTrust({ name, current }: BundleSource): void {
  if (current.tlsMaterial().ca.length > 0) return;
  const help = "put a ca.crt into it, or name a bundle that has one (--trust)";
  const message = `${name} brings no authority that a client certificate could be from: ${help}`;
  throw new KeyturnError("GENERATION_REFUSED", message);
}

/** The server, its clients, and how their connections are wound up. */
interface Front {
  readonly server: Server;
  readonly clients: Clients;
  readonly wind: () => void;
}

function createFront({ settings, target, metrics, open, log, closes }: Parts): Front {
  const { mode, clientCertificates, handshakeTimeoutMs } = settings;
  const asksForCertificates = clientCertificates !== "off";
  const options: SecureServerOptions = {
    ...KEEP_ALIVE,
    noDelay: true,
    handshakeTimeout: handshakeTimeoutMs,
    requestCert: asksForCertificates,
    rejectUnauthorized: clientCertificates === "required",
  };
  const by = { target, metrics, asksForCertificates, onFault: log.targetFault };
  if (mode.kind === "bytes") {
    const alpn = mode.alpn.length === 0 ? {} : { ALPNProtocols: [...mode.alpn] };
    const server = createBytesServer({ ...options, ...alpn });
    const clients = followClients(server, open, metrics);
    passConnections(server, clients, by);
    return { server, clients, wind: () => undefined };
  }
  const { trustForwarded, responseTimeoutMs } = mode;
  const agent = createAgent(target);
  closes.push(() => agent.destroy());
  let clients: Clients | undefined;
  const { server, wind } = createHttpFront(
    options,
    { ...by, agent, trustForwarded, responseTimeoutMs },
    (client) => clients?.reset(client),
  );
  clients = followClients(server, open, metrics);
  return { server, clients, wind };
}
