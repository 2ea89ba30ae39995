import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { useHttpClient } from "../support/http-clients.ts";
import { listenFor } from "../support/listen.ts";
import { HTTP, useHttpTarget, useProxy } from "../support/proxy-stand.ts";
import { until } from "../support/wait.ts";

describe("connections through a proxy of HTTP", () => {
  it("that are older than a swap end in good order where they have to", async (t) => {
    const target = await useHttpTarget(t, (_, response) => void response.end("answer"));
    const mode = { ...HTTP, maxConnectionAge: { afterMs: 0, windowMs: 1 } };
    const { bundle, proxy, connect } = await useProxy(t, target, { mode });
    const client = useHttpClient(t, "HTTP/1.1", { port: proxy.port, ca: bundle.root.pem });
    assert.equal((await client.ask({})).headers.connection, "keep-alive");
    const session = await connect({ ALPNProtocols: ["h2"] });

    await bundle.turn();

    await until("a response says that it is the last", async () => {
      const { headers, text } = await client.ask({});
      assert.equal(text, "answer");
      return headers.connection === "close";
    });
    session.resume();
    await until("the session of HTTP/2 is over", () => session.readableEnded);
  });

  it("are not left to the target to close, between two requests", async (t) => {
    const sockets: Socket[] = [];
    const server = createServer({ keepAliveTimeout: 60_000 }, (_, response) => void response.end());
    server.on("connection", (socket) => sockets.push(socket));
    const { bundle, proxy } = await useProxy(t, await listenFor(t, server), { mode: HTTP });

    await useHttpClient(t, "HTTP/1.1", { port: proxy.port, ca: bundle.root.pem }).ask({});

    await until("the proxy has closed it", () => sockets[0]?.readableEnded);
    assert.equal(sockets.length, 1);
  });
});
