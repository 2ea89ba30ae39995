/** The server that passes bytes, of whatever is spoken inside TLS. */
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import { isImpostor } from "./client-identity.ts";
import type { Clients } from "./clients.ts";
import { passBetween, resetQuietly } from "./pass-bytes.ts";
import type { TargetFault, TargetService } from "./target.ts";

/** What connections are passed on with. */
export interface Passing {
  readonly target: TargetService;
  readonly asksForCertificates: boolean;
  readonly onFault: (fault: TargetFault, why: string) => void;
}

/** Makes the server; it does not listen yet. */
export function createBytesServer(options: TlsOptions): Server {
  return createServer({ ...options, allowHalfOpen: true });
}

/** Passes each connection on. */
export function passConnections(server: Server, clients: Clients, by: Passing): void {
  server.on("secureConnection", (client) => {
    if (by.asksForCertificates && isImpostor(client)) {
      clients.mark(client, "client_refused");
      client.destroy();
    } else pass(client, clients, by);
  });
}

function pass(client: TLSSocket, clients: Clients, { target, onFault }: Passing): void {
  const socket = target.dial(true);
  const giveUp = () => resetQuietly(socket);
  client.once("close", giveUp);
  const onError = (error: Error) => {
    const fault = target.faultOf(error, socket);
    clients.mark(client, fault);
    onFault(fault, error.message);
    clients.reset(client);
  };
  socket.once("error", onError).once("connect", () => {
    client.off("close", giveUp);
    socket.off("error", onError);
    void passBetween(client, socket, () => clients.reset(client));
  });
}
