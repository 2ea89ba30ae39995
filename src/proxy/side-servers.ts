/** Plain HTTP beside the proxy, for this node: metrics and health to read, and a hook for the daemon. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Server as NetServer } from "node:net";
import type { Registry } from "prom-client";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";
import { type Address, shownAddress } from "./settings.ts";

/** A server that listens. */
export interface SideServer {
  /** `http://host:port`. */
  readonly url: string;
  close(): void;
}

/** Of clients that ask and do not read, or open connections and say nothing. */
const LIMITS = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 };
const MOST_CONNECTIONS = 64;

/** What is shown. */
export interface Shown {
  readonly registry: Registry;
  /** Why no traffic should come; empty where it can. */
  readonly notReady: () => Promise<readonly string[]>;
}

/** Serves `/metrics`, `/healthz` and `/readyz`. @throws KeyturnError LISTEN_FAILED. */
export function showMetrics(address: Address, { registry, notReady }: Shown): Promise<SideServer> {
  const answerTo = async (
    path: string | undefined,
  ): Promise<[status: number, type: string, body: string]> => {
    if (path === "/healthz") return [200, "text/plain; charset=utf-8", "ok\n"];
    if (path === "/metrics") return [200, registry.contentType, await registry.metrics()];
    if (path !== "/readyz") return [404, "text/plain; charset=utf-8", "/metrics, /healthz or /readyz\n"];
    const why = await notReady();
    const body = `${JSON.stringify({ ready: why.length === 0, notReady: why })}\n`;
    return [why.length === 0 ? 200 : 503, "application/json; charset=utf-8", body];
  };
  return serve(address, "--metrics", async ({ method, url }, response) => {
    if (method !== "GET" && method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    const [status, type, body] = await answerTo(url?.replace(/\?.*$/s, "")).catch(
      (thrown: unknown) => [500, "text/plain; charset=utf-8", `${messageOf(thrown)}\n`] as const,
    );
    response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
    response.end(method === "HEAD" ? undefined : body);
  });
}

/** Takes hooks, at any path. @throws KeyturnError LISTEN_FAILED. */
export function takeHooks(address: Address, hook: RequestListener): Promise<SideServer> {
  return serve(address, "--hook", hook);
}

async function serve(address: Address, flag: string, listener: RequestListener): Promise<SideServer> {
  const server = createServer(LIMITS, listener);
  server.maxConnections = MOST_CONNECTIONS;
  const actual = await listen(server, address, flag);
  return {
    url: `http://${shownAddress(actual)}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * Listens.
 *
 * @param flag What chose the address.
 * @returns Where it listens, also where the port was left open.
 * @throws KeyturnError LISTEN_FAILED.
 */
export function listen(server: NetServer | Server, { host, port }: Address, flag: string): Promise<Address> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error) => {
      const why = systemCodeOf(cause) === "EADDRINUSE" ? "it is taken" : messageOf(cause);
      const message = `cannot listen on ${shownAddress({ host, port })} (${flag}): ${why}`;
      reject(new KeyturnError("LISTEN_FAILED", message, { cause }));
    };
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      // Such as no descriptors left: the next connection may come through.
      server.on("error", () => undefined);
      const { address, port: actual } = server.address() as AddressInfo;
      resolve({ host: address, port: actual });
    });
  });
}
