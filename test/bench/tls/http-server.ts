/** The HTTP/1.1 and HTTP/2 server of every contender: it streams tokens, and says which certificate it has. */
import { once } from "node:events";
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type SecureServerOptions,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { codeOf } from "./codes.ts";
import type { TokenStreams } from "./token-streams.ts";

/** What all servers of a contender have in common. */
export interface House {
  readonly streams: TokenStreams;
  /** Handshakes that failed, by the server's own count, by code. */
  readonly failures: Map<string, number>;
}

/** Longer than a contender waits for its turn. */
const KEEP_ALIVE_MS = 600_000;
/** A crowd of clients has to fit: who does not would be sent away by the kernel, whoever serves. */
const BACKLOG = 4_096;

/**
 * Makes a server that does not listen yet.
 *
 * @param certificate Says which one is served: a request is answered with it.
 */
export function makeServer(
  { streams, failures }: House,
  options: SecureServerOptions,
  certificate: () => string | Promise<string>,
): Http2SecureServer {
  const server = createSecureServer({ allowHTTP1: true, ...options });
  Object.assign(server, { keepAliveTimeout: KEEP_ALIVE_MS });
  server.on("request", async ({ url }: Http2ServerRequest, response: Http2ServerResponse) => {
    const [, what, name = ""] = url.split("/");
    if (what !== "tokens") {
      response.end(`${await certificate()}\n`);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const forget = streams.open(name, {
      write: (text) => void response.write(text),
      end: () => void response.end(),
    });
    response.once("close", forget);
  });
  server.on("tlsClientError", (error) => {
    const code = codeOf(error);
    failures.set(code, (failures.get(code) ?? 0) + 1);
  });
  // Whoever was at the other end tells of it.
  server.on("secureConnection", (socket) => socket.on("error", () => undefined));
  return server;
}

/** Listens on a port of 127.0.0.1, by default a free one. @returns The port. */
export async function listen(server: Http2SecureServer, port = 0): Promise<number> {
  server.listen({ port, host: "127.0.0.1", backlog: BACKLOG });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
