/** Finds the sockets that tasks open, however deep inside a library, so that they can be destroyed. */
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/** The sockets of one client. */
export interface TrackedSockets {
  /** Runs a task; what it opens is found, also where it does so after this was closed. */
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Ends the looking: nothing more is to be opened. What was found stays known. */
  settle(): void;
  /** Destroys every socket that was or will be opened. */
  destroy(): void;
}

/**
 * Begins to look.
 *
 * grpc-js has no deadline for the HTTP/2 handshake: a peer that accepts and stays silent holds its connection for
 * ever, and closing the client does not end it. A task that is under way while the client closes may open one later.
 */
export function trackSockets(): TrackedSockets {
  const mine = new AsyncLocalStorage<true>();
  const sockets = new Set<Socket>();
  let [isClosed, running] = [false, 0];
  const onSocket = (message: unknown): void => {
    if (mine.getStore() !== true) return;
    const { socket } = message as { readonly socket: Socket };
    // Not at once: it is told before it connects, and connecting would bring it back to life.
    if (isClosed) queueMicrotask(() => socket.destroy());
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  const settle = (): void => {
    unsubscribe("net.client.socket", onSocket);
    // Node 20 copies every store into every promise of the process until this is said.
    mine.disable();
  };
  const release = (): void => {
    if (isClosed && running === 0) settle();
  };
  subscribe("net.client.socket", onSocket);
  return {
    run: async <T>(task: () => Promise<T>): Promise<T> => {
      running++;
      try {
        return await mine.run(true, task);
      } finally {
        running--;
        release();
      }
    },
    settle,
    destroy: (): void => {
      isClosed = true;
      for (const socket of sockets) socket.destroy();
      release();
    },
  };
}
