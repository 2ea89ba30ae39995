/** The server that understands HTTP: every request is passed on, and connections end in good order when they have to. */
import { Agent, type IncomingMessage } from "node:http";
import {
  createSecureServer,
  type Http2SecureServer,
  type SecureServerOptions,
  type ServerHttp2Session,
} from "node:http2";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { later, repeat } from "../runtime/clock.ts";
import { exchangeOf } from "./exchange.ts";
import { forward } from "./forward.ts";
import type { Forwarding } from "./forwarding.ts";
import type { TargetService } from "./target.ts";
import { passUpgrade } from "./upgrade.ts";

/** A server, and how its connections end. */
export interface HttpFront {
  readonly server: Http2SecureServer;
  /** From now on connections end with what is under way on them, and those that bring nothing more soon after. */
  wind(): void;
}

/** What Node's servers of HTTP/1.1 have, and one of HTTP/2 takes over where it speaks that too. */
const HTTP1 = {
  headersTimeout: 30_000,
  /** A body may take as long as it likes: the target knows how long it waits. */
  requestTimeout: 0,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 75_000,
  keepAliveTimeoutBuffer: 1_000,
};
/** Streams of one connection, and megabytes for what they hold: a window's worth each, both ways. */
const HTTP2 = { settings: { maxConcurrentStreams: 250 }, maxSessionMemory: 64 };
/** So long a connection without a request is left, for one that is on its way to it. */
const IDLE_MS = 1_000;
/** Shorter than any target keeps an idle connection (gunicorn 2 s, uvicorn and Node 5 s): none closes it first. */
const KEPT_MS = 1_000;

/** Connections to the target, kept for the next request. */
export function createAgent(target: TargetService): Agent {
  const agent = new Agent({ keepAlive: true, timeout: KEPT_MS });
  return Object.assign(agent, { createConnection: () => target.dial(false) });
}

/** Makes the server; it does not listen yet. */
export function createHttpFront(
  options: SecureServerOptions,
  by: Omit<Forwarding, "isClosing">,
  reset: (client: TLSSocket) => void,
): HttpFront {
  const server = createSecureServer({ ...options, ...HTTP2, allowHTTP1: true });
  Object.assign(server, HTTP1);
  const sessions = new Set<ServerHttp2Session>();
  /** Requests under way, by connection of HTTP/1.1. */
  const busy = new Map<Duplex, number>();
  let isClosing = false;
  const forwarding: Forwarding = { ...by, isClosing: () => isClosing };

  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("secureConnection", (client) => {
    if (client.alpnProtocol === "h2") return;
    busy.set(client, 0);
    client.once("close", () => busy.delete(client));
  });
  server.on("request", (request, response) => {
    const { socket } = request;
    const count = busy.get(socket);
    if (count !== undefined) {
      busy.set(socket, count + 1);
      response.once("close", () => busy.has(socket) && busy.set(socket, (busy.get(socket) ?? 1) - 1));
    }
    forward(exchangeOf(request, response, reset), forwarding);
  });
  // The target says whether the body is wanted.
  server.on("checkContinue", (request, response) => void server.emit("request", request, response));
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // To the end: nobody knows when nothing more comes.
    busy.set(socket, 1);
    passUpgrade({ request, client: socket as TLSSocket, head }, reset, forwarding);
  });

  const endIdle = () => {
    for (const session of sessions) session.close();
    for (const [client, count] of busy) if (count === 0) client.end();
  };
  return {
    server,
    wind: () => {
      isClosing = true;
      for (const session of sessions) session.close();
      later(IDLE_MS, () => {
        endIdle();
        server.once("close", repeat(IDLE_MS / 4, endIdle));
      });
    },
  };
}
