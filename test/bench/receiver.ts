/** The service that is told: one HTTP server for all contenders, which notes the time before anything else. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The request stays unanswered until it is done; `atMs` is on the clock of `performance.now()`. Never rejects. */
type OnHook = (atMs: number) => Promise<void>;

/** A receiver that listens. */
export interface Receiver {
  /** Gives the URL whose requests are handed to `onHook`. */
  urlFor(name: string, onHook: OnHook): string;
  close(): Promise<void>;
}

/** Longer than any contender waits for its turn: a connection it keeps must not break under its next hook. */
const KEEP_ALIVE_MS = 600_000;

/** Starts a receiver on a free port of 127.0.0.1. */
export async function startReceiver(): Promise<Receiver> {
  const listeners = new Map<string, OnHook>();
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const atMs = performance.now();
    const noted = listeners.get(request.url ?? "")?.(atMs);
    request.resume().once("end", async () => {
      await noted;
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlFor: (name, onHook) => {
      listeners.set(`/${name}`, onHook);
      return `http://127.0.0.1:${port}/${name}`;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
