/** The clients of a proxy's server: known from the first byte, counted by what becomes of them, and cut at the end. */
import { Server as NetServer, type Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import type { ConnectionResult, ProxyMetrics } from "./metrics.ts";

/** The clients that are connected. */
export interface Clients {
  /** Says what will have become of a connection, when it is closed. The first word counts. */
  mark(client: TLSSocket, result: ConnectionResult): void;
  /** Breaks a connection off so that the client cannot take it for its end in good order. */
  reset(client: TLSSocket): void;
  /** Takes no new connections; resolves when all that were there are closed. */
  closed(): Promise<void>;
  /** Ends those that are left. */
  cut(): void;
}

/** Follows them. */
export function followClients(server: Server, open: Set<TLSSocket>, metrics: ProxyMetrics): Clients {
  /** By the client's address: the connections that TLS goes through. */
  const plain = new Map<string, Socket>();
  const results = new WeakMap<TLSSocket, ConnectionResult>();
  server.on("connection", (socket: Socket) => {
    const key = keyOf(socket);
    plain.set(key, socket);
    socket.once("close", () => plain.delete(key));
  });
  server.prependListener("secureConnection", (client) => {
    open.add(client);
    client.once("close", (hadError: boolean) => {
      open.delete(client);
      metrics.connectionEnded(results.get(client) ?? (hadError ? "broken" : "ended"));
    });
    // Whoever waits for it hears of its end by "close".
    client.on("error", () => undefined);
  });
  server.on("tlsClientError", (_, client) => {
    metrics.connectionEnded("handshake_failed");
    // A client that says nothing is left to whoever listens.
    client.destroy();
  });
  const mark = (client: TLSSocket, result: ConnectionResult) => {
    if (!results.has(client)) results.set(client, result);
  };
  return {
    mark,
    reset: (client) => {
      mark(client, "broken");
      // The end of a connection without the end of its TLS session is taken for the latter by many clients.
      plain.get(keyOf(client))?.resetAndDestroy();
      client.destroy();
    },
    closed: () =>
      new Promise((resolve) => {
        // Not that of an HTTP server, which closes connections that are about to bring another request.
        NetServer.prototype.close.call(server, () => resolve());
      }),
    cut: () => {
      for (const client of open) {
        mark(client, "cut");
        client.destroy();
      }
      for (const socket of plain.values()) socket.destroy();
    },
  };
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
