/** A proxy within the test, in front of a target of the test's own, serving a bundle that can be turned. */
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type Socket } from "node:net";
import type { Readable } from "node:stream";
import type { TestContext } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { pino } from "pino";
import { type RunningProxy, startProxy } from "../../src/proxy/proxy.ts";
import type { HttpMode, ProxySettings } from "../../src/proxy/settings.ts";
import { listenFor } from "./listen.ts";
import { type TurningBundle, useTurningBundle } from "./turning-bundle.ts";

/** A proxy that runs. */
export interface ProxyStand {
  readonly proxy: RunningProxy;
  readonly bundle: TurningBundle;
  /** Lines of its log. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Connects as a client that trusts the bundle's root. */
  connect(options?: ConnectionOptions): Promise<TLSSocket>;
  /** The value of a metric with exactly these labels; 0 where it is not there. */
  metric(name: string, labels?: string): Promise<number>;
}

/** How requests are passed on. */
export const HTTP: HttpMode = { kind: "http", trustForwarded: false, responseTimeoutMs: 20_000 };

/** Starts it in front of a port of 127.0.0.1 or of a unix socket; it is stopped when the test is over. */
export async function useProxy(
  t: TestContext,
  to: number | string,
  settings: Partial<ProxySettings> = {},
  given?: TurningBundle,
): Promise<ProxyStand> {
  const bundle = given ?? (await useTurningBundle(t));
  if (given === undefined) await bundle.turn();
  const log: Record<string, unknown>[] = [];
  const logger = pino({ level: "debug" }, { write: (line: string) => void log.push(JSON.parse(line)) });
  const proxy = await startProxy(
    {
      listen: { host: "127.0.0.1", port: 0 },
      to: typeof to === "string" ? { socketPath: to } : { host: "127.0.0.1", port: to },
      mode: { kind: "bytes", alpn: [] },
      bundleDir: bundle.dir,
      clientCertificates: "off",
      metrics: { host: "127.0.0.1", port: 0 },
      firstWithinMs: 0,
      handshakeTimeoutMs: 20_000,
      connectTimeoutMs: 20_000,
      ...settings,
    },
    logger,
    new AbortController().signal,
  );
  t.after(() => proxy.drain(0));
  return {
    proxy,
    bundle,
    log,
    connect: async (options = {}) => {
      const { pem } = bundle.root;
      const where = { host: "127.0.0.1", port: proxy.port, servername: "inference.local" };
      const halves = { allowHalfOpen: true };
      const socket = connect({ ...where, ...halves, ca: pem, ...options });
      // Whoever waits for it hears of it all the same.
      socket.on("error", () => undefined);
      t.after(() => void socket.destroy());
      await once(socket, "secureConnect");
      return socket;
    },
    metric: async (name, labels = "") => {
      const page = await (await fetch(`${proxy.metricsUrl}/metrics`)).text();
      const start = labels === "" ? `${name} ` : `${name}{${labels}} `;
      const line = page.split("\n").find((candidate) => candidate.startsWith(start));
      return line === undefined ? 0 : Number(line.slice(start.length));
    },
  };
}

/** Everything up to the end of what comes; unlike Node's own, it leaves the other half of a connection alone. */
export function allOf(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => resolve(Buffer.concat(chunks))).once("error", reject);
    stream.once("close", () => reject(new Error("it was closed before its end")));
  });
}

/** A plain TCP service; gives its port. */
export async function useTarget(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  return listenFor(t, createServer({ allowHalfOpen: true }, serve));
}

/** A plain HTTP service; gives its port. */
export async function useHttpTarget(t: TestContext, serve: RequestListener): Promise<number> {
  return listenFor(t, createHttpServer(serve));
}
