/** Keeps the connections of a server few: where there are too many, the one that has waited longest makes room. */
import type { Server } from "node:http";
import type { Socket } from "node:net";

/** The connections of a server. */
export interface Connections {
  /** Carries out what a request asks for. Its connection is not the one to make room until then. */
  whileAtWork<T>(socket: Socket, task: () => Promise<T>): Promise<T>;
}

/**
 * Limits them. To turn away the newest would let whoever opens many and does nothing keep out the probe that asks
 * whether keyturn lives; so they push out one another. Only where every connection is at work the newest has to go.
 */
export function limitConnections(server: Server, most: number): Connections {
  /** Those for whose client the server waits, to ask or to take an answer; whoever has waited longest comes first. */
  const waiting = new Set<Socket>();
  const atWork = new Set<Socket>();
  server.on("connection", (socket) => {
    const isFull = waiting.size + atWork.size >= most;
    waiting.add(socket);
    socket.once("close", () => {
      waiting.delete(socket);
      atWork.delete(socket);
    });
    const [longest] = waiting;
    if (!isFull || longest === undefined) return;
    waiting.delete(longest);
    longest.destroy();
  });
  return {
    whileAtWork: async (socket, task) => {
      waiting.delete(socket);
      atWork.add(socket);
      try {
        return await task();
      } finally {
        if (atWork.delete(socket)) waiting.add(socket);
      }
    },
  };
}
