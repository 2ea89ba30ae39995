/** What stands behind a proxy in a test: an engine that answers at once, or token by token until the test ends it. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Scope } from "./scope.ts";

/** An engine that runs. */
export interface TestEngine {
  readonly port: number;
  /** Ends every stream with its last line. */
  finish(): void;
}

/** The last line of a stream. */
export const LAST_TOKEN = "[DONE]";

const TOKEN_EVERY_MS = 20;

/** Starts it: `/stream` sends numbers from 0, one on a line; everything else is answered `ok`. */
export async function useEngine(t: Scope): Promise<TestEngine> {
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    if (request.url !== "/stream") return response.end("ok");
    streams.add(response);
    response.setHeader("content-type", "text/event-stream");
    let token = 0;
    const timer = setInterval(() => response.write(`${token++}\n`), TOKEN_EVERY_MS);
    response.on("close", () => {
      clearInterval(timer);
      streams.delete(response);
    });
  });
  // A proxy may keep connections to it for longer than it does itself.
  server.keepAliveTimeout = 0;
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    finish: () => {
      for (const response of streams) response.end(`${LAST_TOKEN}\n`);
    },
  };
}
