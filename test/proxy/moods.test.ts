import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { type Begun, type HttpClient, useHttpClient } from "../support/http-clients.ts";
import { listenFor } from "../support/listen.ts";
import { HTTP, useProxy } from "../support/proxy-stand.ts";
import { until } from "../support/wait.ts";

const TIMES = 6;
const CHUNK = Buffer.alloc(100_000, "x");

/** What becomes of a request at the target, by the path that is asked for. */
const TARGETS: Readonly<Record<string, RequestListener>> = {
  "/echo": (request, response) => void request.pipe(response),
  "/hangs-up": ({ socket }) => void socket.destroy(),
  "/resets": ({ socket }) => void socket.resetAndDestroy(),
  "/breaks-off": ({ socket }, response) => void response.write(CHUNK, () => socket.destroy()),
  "/refuses-early": (_, response) => void response.writeHead(413).end("too much"),
  "/lies-about-length": ({ socket }) => void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\nabc"),
  "/odd-status": ({ socket }) => void socket.end("HTTP/1.1 999 Odd\r\ncontent-length: 3\r\n\r\nabc"),
  "/switches-unasked": ({ socket }) =>
    void socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
  "/hints-early": ({ socket }) => {
    socket.end("HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
  },
  "/talks-nonsense": ({ socket }) => void socket.end("\0\0\0\r\n\r\n"),
};

/** What a client does with it. */
const CLIENTS: Readonly<Record<string, (begun: Begun) => void>> = {
  asks: ({ body }) => void body.end(),
  sends: ({ body }) => void body.end(CHUNK),
  "is gone at once": ({ abort }) => void abort(),
  "is gone in the middle": ({ body, abort }) => void body.write(CHUNK, () => abort()),
  "is gone after the answer": ({ body, answered, abort }) => {
    body.write(CHUNK);
    answered.then(abort, abort);
  },
  "is gone soon": ({ body, abort }) => {
    body.end(CHUNK);
    setImmediate(() => setImmediate(abort));
  },
};

async function toTheEnd(begun: Begun): Promise<void> {
  try {
    const { body } = await begun.answered;
    body.resume().on("error", () => undefined);
    if (!body.closed) await once(body, "close");
  } catch {
    // Broken off, as it should be.
  }
}

describe("a proxy of HTTP among clients and targets in every mood, while certificates turn", () => {
  for (const version of ["HTTP/1.1", "HTTP/2"] as const) {
    it(`ends every request of ${version}, leaves nothing behind, and goes on`, async (t) => {
      const sockets = new Set<Socket>();
      const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
        for (const each of [request, response]) each.on("error", () => undefined);
        // Whoever does not read is not told of the end either.
        if (request.url !== "/echo") request.resume();
        TARGETS[request.url ?? ""]?.(request, response);
      });
      server.on("checkContinue", (request, response) => {
        response.writeContinue();
        server.emit("request", request, response);
      });
      server.on("connection", (socket: Socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      });
      const { bundle, proxy, metric } = await useProxy(t, await listenFor(t, server), { mode: HTTP });
      const clients: HttpClient[] = [];
      const ask = (path: string, mood: (begun: Begun) => void, expect: boolean) => {
        const client = useHttpClient(t, version, { port: proxy.port, ca: bundle.root.pem });
        clients.push(client);
        const begun = client.begin({
          method: "POST",
          path,
          headers: expect ? { expect: "100-continue" } : {},
        });
        mood(begun);
        return toTheEnd(begun);
      };
      for (let i = 0; i < TIMES; i++) {
        const exchanges = Object.keys(TARGETS).flatMap((path) =>
          Object.values(CLIENTS).map((mood) => ask(path, mood, i % 2 === 0)),
        );
        await Promise.all([...exchanges, bundle.turn()]);
      }

      for (const client of clients) client.close();
      await until("no client is left", async () => (await metric("keyturn_proxy_connections")) === 0);
      await until("no connection to the target is left", () => sockets.size === 0);
      const after = useHttpClient(t, version, { port: proxy.port, ca: bundle.root.pem });
      assert.equal((await after.ask({ method: "POST", path: "/echo" }, "still here")).text, "still here");
    });
  }
});
