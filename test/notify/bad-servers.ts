/** Servers that behave badly, over HTTP and below it. */
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { gzipSync } from "node:zlib";

/** A change to a protocol that nobody asked for. */
export const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n";

/** A server below HTTP: what it does when something arrives. */
export async function useTcp(t: TestContext, behave: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("data", () => behave(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A server that answers with a text, and then goes on with another, over and over. */
export async function useDripping(t: TestContext, begin: string, drop: string) {
  let close: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const url = await useTcp(t, (socket) => {
    socket.write(begin);
    const dripping = setInterval(() => socket.write(drop), 5);
    socket.once("close", () => {
      clearInterval(dripping);
      close();
    });
  });
  return { url, closed };
}

/** A server of HTTP; `closed` is when it is done with a request, however that ended. */
export async function useHttp(t: TestContext, listener: RequestListener) {
  let close: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const server = createHttpServer((request, respond) => {
    respond.on("close", close);
    listener(request, respond);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, closed };
}

/** An answer without end. */
export function streamForEver(respond: Parameters<RequestListener>[1]): void {
  respond.writeHead(200);
  const chunk = Buffer.alloc(64 << 10);
  const write = () => {
    while (!respond.destroyed && respond.write(chunk));
  };
  respond.on("drain", write);
  write();
}

/** An answer that is a thousand times as large unpacked. */
export function sendBomb(respond: Parameters<RequestListener>[1]): void {
  respond.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(100 << 20)));
}

/** An answer that ends before it is whole. */
export function breakOff(respond: Parameters<RequestListener>[1]): void {
  respond.writeHead(200, { "content-length": "1000" }).write("x", () => respond.destroy());
}
