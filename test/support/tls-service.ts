/** A real TLS server whose certificate is chosen anew for each connection, as by a service with several workers. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import type { BundlePems } from "./pki.ts";
import type { Scope } from "./scope.ts";

/** What a connection is served. */
export type ServerIdentity = Pick<BundlePems, "chain" | "key">;

/** A service that listens on 127.0.0.1. */
export interface TlsService {
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  /** Names the clients asked for, and the certificates they presented: null for none. */
  readonly asked: { readonly serverName: string | null; readonly client: string | null }[];
  /** From the next connection on: one identity after another, over and over; silence where there is none. */
  serve(...identities: readonly ServerIdentity[]): void;
  /** Nobody listens any more. */
  close(): Promise<void>;
  /** Listens again, on the same port. */
  open(): Promise<void>;
}

/** Starts a service that is closed when the test is over. */
export async function useTlsService(t: Scope, ...initial: readonly ServerIdentity[]): Promise<TlsService> {
  let identities = initial;
  let count = 0;
  let port = 0;
  const asked: TlsService["asked"][number][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const identity = identities[count++ % identities.length];
    if (identity === undefined) return;
    const secureContext = createSecureContext({ cert: identity.chain, key: identity.key });
    const options = { isServer: true, secureContext, requestCert: true, rejectUnauthorized: false };
    const session = new TLSSocket(socket, options);
    session.on("error", () => session.destroy());
    session.on("secure", () => {
      const client = session.getPeerX509Certificate()?.fingerprint256 ?? null;
      asked.push({ serverName: (session as { servername?: string }).servername || null, client });
    });
  });
  const open = async () => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  };
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await open();
  t.after(close);
  return {
    get port() {
      return port;
    },
    get connections() {
      return count;
    },
    asked,
    serve: (...next) => {
      identities = next;
    },
    close,
    open,
  };
}
