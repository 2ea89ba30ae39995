/** The admin server: metrics, health, status and its page to read; a few requests that change something, for who has the token. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { finished } from "node:stream/promises";
import { KeyturnError, messageOf, systemCodeOf } from "../core/errors.ts";
import { limitConnections } from "./connections.ts";
import { ADMIN_LIMITS, type AdminLimits } from "./limits.ts";
import type { AdminOptions } from "./options.ts";
import { createPageRoutes } from "./page-routes.ts";
import { createTurnAway } from "./refusals.ts";
import { failure, send } from "./reply.ts";
import { answer } from "./routes.ts";

/** A server that listens. */
export interface AdminServer {
  /** `http://host:port`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts listening. Of one connection the requests are carried out one after another, each when the answer to the one
 * before it was taken: a client that asks and does not read costs one answer.
 *
 * @throws KeyturnError ADMIN_UNAVAILABLE where the address is taken or not this machine's.
 */
export async function startAdminServer(
  options: AdminOptions,
  limits: AdminLimits = ADMIN_LIMITS,
): Promise<AdminServer> {
  const server = createServer({
    headersTimeout: limits.headersWithinMs,
    requestTimeout: limits.requestWithinMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.lookEveryMs,
  });
  const connections = limitConnections(server, limits.connections);
  const turnAway = createTurnAway(options.report);
  const page = createPageRoutes(options, limits, turnAway);
  const answerTo = async (request: IncomingMessage) =>
    page.answer(request) ?? answer(request, options, turnAway);
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { socket } = request;
    if (socket.destroyed) return;
    const reply = await connections.whileAtWork(socket, () =>
      answerTo(request).catch((thrown) => {
        if (!(thrown instanceof KeyturnError) && !socket.destroyed) options.onError(thrown);
        return failure(thrown);
      }),
    );
    passOver(request, limits.passedOverBytes);
    if ("stream" in reply) return reply.stream(response);
    send(response, reply);
    await taken(response, limits.takeWithinMs);
  };
  const turns = new WeakMap<Socket, Promise<void>>();
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    // A stream never ends by itself: whatever comes after it would wait for ever.
    if (page.streams.has(socket)) return void socket.destroy();
    turns.set(
      socket,
      (turns.get(socket) ?? Promise.resolve())
        .then(() => serve(request, response))
        .catch((thrown) => {
          options.onError(thrown);
          socket.destroy();
        }),
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

/** What is left of a request's body; one that goes on is cut off. */
function passOver(request: IncomingMessage, mostBytes: number): void {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > mostBytes) request.destroy();
  });
}

/** Waits until the client has the answer, or cuts it off. Never rejects. */
async function taken(response: ServerResponse, withinMs: number): Promise<void> {
  try {
    await finished(response, { signal: AbortSignal.timeout(withinMs) });
  } catch {
    response.req.socket.destroy();
  }
}

/** What to do about an address that cannot be had. */
const WHY_NOT: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "it is taken; stop the other keyturn, or choose another port (--admin-listen)"],
  ["EACCES", "this user may not; choose a port from 1024 on (--admin-listen)"],
]);

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const why = WHY_NOT.get(systemCodeOf(cause) ?? "") ?? messageOf(cause);
      const message = `cannot listen on ${host}:${port} (admin.listen): ${why}`;
      reject(new KeyturnError("ADMIN_UNAVAILABLE", message, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}
