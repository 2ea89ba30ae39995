/** An `https` server that answers with the fingerprint of the client's certificate, at once or when it is told to. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { TLSSocket } from "node:tls";
import { type Minted, mint } from "./mint.ts";

/** A server that listens on 127.0.0.1, with a certificate for `inference.local` and that address. */
export interface IdentifyingServer {
  readonly port: number;
  readonly url: string;
  /** Whether each connection so far resumed a session. */
  readonly resumed: readonly boolean[];
  /** Connections that are open. */
  openCount(): number;
  /** Requests to `/later` that wait. */
  waitingCount(): number;
  /** Answers them. */
  answer(): void;
  /** Ends their connections without an answer. */
  drop(): void;
}

/** Starts a server that is gone when the test is over. */
export async function useIdentifyingServer(
  t: TestContext,
  root: Minted,
  clientCa: Minted,
): Promise<IdentifyingServer> {
  const own = mint({ issuer: root, names: ["inference.local", "127.0.0.1"] });
  const resumed: boolean[] = [];
  const open = new Set<TLSSocket>();
  const waiting: ServerResponse[] = [];
  const tls = { cert: own.pem, key: own.keyPem, ca: clientCa.pem };
  const server = createServer(
    { ...tls, requestCert: true, rejectUnauthorized: false },
    (request: IncomingMessage, response) => {
      if (request.url === "/later") waiting.push(response);
      else response.end(fingerprintOf(response));
    },
  );
  server.on("secureConnection", (socket: TLSSocket) => {
    resumed.push(socket.isSessionReused());
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  // Only clients end connections.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const take = () => waiting.splice(0);
  return {
    port,
    url: `https://127.0.0.1:${port}/`,
    resumed,
    openCount: () => open.size,
    waitingCount: () => waiting.length,
    answer: () => {
      for (const response of take()) response.end(fingerprintOf(response));
    },
    drop: () => {
      for (const response of take()) response.socket?.destroy();
    },
  };
}

/** Empty for a client without a certificate that is trusted. */
function fingerprintOf({ socket }: ServerResponse): string {
  const { authorized, getPeerX509Certificate } = socket as TLSSocket;
  return authorized ? (getPeerX509Certificate.call(socket)?.fingerprint256 ?? "") : "";
}
