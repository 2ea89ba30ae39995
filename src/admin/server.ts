/** The admin server: metrics, health and status to read; a few requests that change something, for who has the token. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";
import type { AdminOptions } from "./options.ts";
import { failure, send } from "./reply.ts";
import { answer } from "./routes.ts";

/** A server that listens. */
export interface AdminServer {
  /** `http://host:port`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts listening.
 *
 * @throws KeyturnError ADMIN_UNAVAILABLE where the address is taken or not this machine's.
 */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 5_000 });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    answer(request, options).then(
      (reply) => send(response, reply),
      (thrown: unknown) => send(response, failure(thrown)),
    );
  });
  const { host, port } = options.listen;
  await listen(server, host, port);
  server.on("error", options.onError);
  const { address, port: actual } = server.address() as AddressInfo;
  const shown = address.includes(":") ? `[${address}]` : address;
  return {
    url: `http://${shown}:${actual}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const why = systemCodeOf(cause) === "EADDRINUSE" ? "it is taken" : messageOf(cause);
      const message = `cannot listen on ${host}:${port} (admin.listen): ${why}`;
      reject(new KeyturnError("ADMIN_UNAVAILABLE", message, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}
