/** Ends, in good order, connections that were made with a generation that is no longer served. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import { Server as HttpsServer } from "node:https";
import type { Server, TLSSocket } from "node:tls";
import { later } from "../runtime/clock.ts";

/** When a connection has to end that was made with an earlier generation. */
export interface ConnectionAge {
  /** Milliseconds after the swap in which none is ended. */
  readonly afterMs: number;
  /** Milliseconds after those, over which the ends are spread at random: clients do not come back all at once. */
  readonly windowMs: number;
}

/** Connections of one server. */
export interface OldConnections {
  /** From now on all that are there are old. */
  supersede(): void;
  close(): void;
}

/**
 * Follows the connections of an `https` or `http2` server. HTTP/2 sessions get GOAWAY, and their streams finish (RFC 9113
 * §6.8); HTTP/1.1 connections end with the response to their next request, which says `Connection: close` (RFC 9112 §9.6).
 *
 * @throws TypeError for a server of another kind.
 */
export function followConnections(server: Server, { afterMs, windowMs }: ConnectionAge): OldConnections {
  if (!(server instanceof HttpsServer) && !isHttp2(server))
    throw new TypeError(
      "maxConnectionAge needs an https or http2 server: of others nobody knows when a message ends",
    );
  let young = new Map<object, () => void>();
  const isEnding = new WeakSet<object>();
  const timers = new Set<() => void>();
  const add = (connection: TLSSocket | ServerHttp2Session, end: () => void) => {
    young.set(connection, end);
    connection.once("close", () => young.delete(connection));
  };
  const onSocket = (socket: TLSSocket) => {
    if (socket.alpnProtocol !== "h2") add(socket, () => isEnding.add(socket));
  };
  const onSession = (session: ServerHttp2Session) => add(session, () => session.close());
  const onRequest = ({ socket }: IncomingMessage, response: ServerResponse) => {
    if (isEnding.has(socket)) response.setHeader("connection", "close");
  };
  server.on("secureConnection", onSocket);
  server.on("session", onSession);
  server.prependListener("request", onRequest);
  return {
    supersede: () => {
      const old = young;
      young = new Map();
      for (const end of old.values()) {
        const cancel = later(afterMs + Math.random() * windowMs, () => {
          timers.delete(cancel);
          end();
        });
        timers.add(cancel);
      }
    },
    close: () => {
      server.off("secureConnection", onSocket);
      server.off("session", onSession);
      server.off("request", onRequest);
      for (const cancel of timers) cancel();
    },
  };
}

function isHttp2(server: Server): boolean {
  return "updateSettings" in server;
}
