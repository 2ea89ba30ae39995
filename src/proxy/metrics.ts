/** Metrics of a proxy: connections of clients, requests, and bytes each way, counted while they go. */
import type { Socket } from "node:net";
import { Counter, Gauge, type Registry } from "prom-client";
import type { TargetFault } from "./target.ts";

/** What became of a client's connection. */
export type ConnectionResult =
  | TargetFault
  /** In good order, by either side. */
  | "ended"
  /** Broken off by either side. */
  | "broken"
  | "handshake_failed"
  /** A client certificate that is not trusted, where none was needed. */
  | "client_refused"
  /** At the end of the drain. */
  | "cut";

/** What became of a request. */
export type RequestResult = TargetFault | "answered" | "client_gone" | "invalid" | "client_refused";

/** What is counted. */
export interface ProxyMetrics {
  /** A client's connection is over, or its handshake was. */
  connectionEnded(result: ConnectionResult): void;
  requestEnded(result: RequestResult): void;
  /** Counts the bytes of a connection to the target, until it is closed. */
  follow(target: Socket): void;
}

/**
 * Registers `keyturn_proxy_connections`, `keyturn_proxy_connections_total{result}`, `keyturn_proxy_requests_total{result}`
 * and `keyturn_proxy_bytes_total{direction}`, of bytes without TLS.
 *
 * @param open How many clients are connected now.
 */
export function createMetrics(registry: Registry, open: () => number): ProxyMetrics {
  const registers = [registry];
  new Gauge({
    name: "keyturn_proxy_connections",
    help: "Clients that are connected, after their handshakes.",
    registers,
    collect() {
      this.set(open());
    },
  });
  const connections = new Counter({
    name: "keyturn_proxy_connections_total",
    help: "Connections of clients that are over, by what became of them.",
    labelNames: ["result"],
    registers,
  });
  const requests = new Counter({
    name: "keyturn_proxy_requests_total",
    help: "HTTP requests that are over, by what became of them.",
    labelNames: ["result"],
    registers,
  });
  /** Bytes that were counted of each connection, while it is open. */
  const counted = new Map<Socket, { read: number; written: number }>();
  const bytes = new Counter({
    name: "keyturn_proxy_bytes_total",
    help: "Bytes passed between clients and the target, without TLS.",
    labelNames: ["direction"],
    registers,
    collect: () => {
      for (const socket of counted.keys()) count(socket);
    },
  });
  const count = (socket: Socket) => {
    const { read, written } = counted.get(socket) ?? { read: 0, written: 0 };
    const { bytesRead, bytesWritten } = socket;
    bytes.inc({ direction: "to_client" }, bytesRead - read);
    bytes.inc({ direction: "to_target" }, bytesWritten - written);
    counted.set(socket, { read: bytesRead, written: bytesWritten });
  };
  return {
    connectionEnded: (result) => connections.inc({ result }),
    requestEnded: (result) => requests.inc({ result }),
    follow: (socket) => {
      counted.set(socket, { read: 0, written: 0 });
      socket.once("close", () => {
        count(socket);
        counted.delete(socket);
      });
    },
  };
}
