import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import type { TLSSocket } from "node:tls";
import { listenFor } from "../support/listen.ts";
import { allOf, HTTP, useHttpTarget, useProxy, useTarget } from "../support/proxy-stand.ts";
import { until } from "../support/wait.ts";

/** A service that speaks WebSocket as far as the handshake goes, and then sends everything back. */
async function useWebSocketTarget(t: TestContext): Promise<{ port: number; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((_, response) => void response.writeHead(403).end("no"));
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    asked.push(request);
    if (request.url === "/no") {
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
      return;
    }
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n");
    socket.write("sec-websocket-accept: abc\r\n\r\nhello ");
    socket.write(head);
    socket.pipe(socket);
  });
  return { port: await listenFor(t, server), asked };
}

/** Sends lines as they are, and gives everything that comes back as it comes. */
function speak(client: TLSSocket, ...lines: readonly string[]): () => string {
  let got = "";
  client.on("data", (chunk) => {
    got += chunk;
  });
  client.write(`${lines.join("\r\n")}\r\n\r\n`);
  return () => got;
}

const WEBSOCKET = [
  "host: inference.local",
  "connection: Upgrade",
  "upgrade: websocket",
  "sec-websocket-key: a",
];

describe("a WebSocket through the proxy", () => {
  it("is passed on with what comes right behind the handshake, until either side ends it", async (t) => {
    const { port, asked } = await useWebSocketTarget(t);
    const { connect, metric } = await useProxy(t, port, { mode: HTTP });
    const client = await connect();

    const got = speak(client, "GET /ws HTTP/1.1", ...WEBSOCKET, "x-forwarded-for: 6.6.6.6", "", "early ");
    await until("the early bytes are back", () => got().includes("early"));
    client.write("late");
    await until("the late bytes are back", () => got().endsWith("late"));
    client.end();

    const [head = ""] = got().split("\r\n\r\n", 1);
    assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match(head, /^sec-websocket-accept: abc$/im);
    assert.match(head, /^connection: upgrade$/im);
    assert.match(got(), /\r\n\r\nhello early \s*late$/);
    assert.equal(asked[0]?.headers["x-forwarded-for"], "127.0.0.1");
    assert.equal(asked[0]?.headers["sec-websocket-key"], "a");
    await until("it is over", async () => (await metric("keyturn_proxy_connections")) === 0);
  });

  it("that the target refuses is refused with its answer", async (t) => {
    const { port } = await useWebSocketTarget(t);
    const { connect } = await useProxy(t, port, { mode: HTTP });
    const client = await connect();

    const got = speak(client, "GET /no HTTP/1.1", ...WEBSOCKET);
    await once(client, "end");

    assert.match(got(), /^HTTP\/1\.1 403 Forbidden\r\n/);
    assert.ok(got().endsWith("no"));
  });

  it("gets a 502 where the target takes no connection", async (t) => {
    const { connect } = await useProxy(t, 1, { mode: HTTP });
    const client = await connect();

    const got = speak(client, "GET /ws HTTP/1.1", ...WEBSOCKET);
    await once(client, "end");

    assert.match(got(), /^HTTP\/1\.1 502 /);
    assert.match(got(), /"TARGET_REFUSED"/);
  });

  it("behind a request that is not answered yet is broken off, and the proxy goes on", async (t) => {
    const port = await useHttpTarget(
      t,
      ({ url }, response) => void (url === "/next" && response.end("next")),
    );
    const { connect } = await useProxy(t, port, { mode: HTTP });
    const client = await connect();

    speak(client, "GET /slow HTTP/1.1", "host: a", "", "GET /ws HTTP/1.1", ...WEBSOCKET);
    await until("it is broken off", () => client.closed || client.readableEnded);

    const other = await connect();
    const got = speak(other, "GET /next HTTP/1.1", "host: a");
    await until("the next is answered", () => got().endsWith("next"));
  });
});

describe("requests of HTTP/1.1 that are not as usual", () => {
  const seen = async (t: TestContext, ...lines: readonly string[]) => {
    const asked: IncomingMessage[] = [];
    const port = await useHttpTarget(t, (request, response) => {
      asked.push(request);
      response.end("done");
    });
    const { connect } = await useProxy(t, port, { mode: HTTP });
    const client = await connect();
    const got = speak(client, ...lines);
    await until("it is answered", () => /\r\n\r\n./.test(got()) || client.readableEnded);
    return { asked, got: got(), client };
  };

  it("that want HTTP/2 without TLS are answered by HTTP/1.1: that upgrade is no way past the proxy", async (t) => {
    const h2c = [
      "connection: Upgrade, HTTP2-Settings",
      "upgrade: h2c",
      "http2-settings: AAMAAABkAARAAAAAAAIAAAAA",
    ];
    const { asked, got } = await seen(t, "GET /a HTTP/1.1", "host: a", ...h2c);

    assert.match(got, /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(asked[0]?.headers.upgrade, undefined);
    assert.equal(asked[0]?.headers["http2-settings"], undefined);
  });

  it("in absolute form go on in origin form, for the host that they name (RFC 9112 §3.2.2)", async (t) => {
    const { asked } = await seen(t, "GET http://real.local/a?b HTTP/1.1", "host: other");

    assert.deepEqual([asked[0]?.url, asked[0]?.headers.host], ["/a?b", "real.local"]);
  });

  it("for the whole server go on", async (t) => {
    const { asked } = await seen(t, "OPTIONS * HTTP/1.1", "host: a");

    assert.deepEqual([asked[0]?.method, asked[0]?.url], ["OPTIONS", "*"]);
  });

  it("of HTTP/1.0 get an answer without chunks, and its end", async (t) => {
    const port = await useHttpTarget(t, (_, response) => {
      response.writeHead(200, { trailer: "x-after" });
      response.write("one");
      response.end("two");
    });
    const { connect } = await useProxy(t, port, { mode: HTTP });
    const client = await connect();

    client.write("GET / HTTP/1.0\r\n\r\n");
    const got = String(await allOf(client));

    assert.match(got, /^HTTP\/1\.1 200 OK\r\n/);
    assert.ok(got.endsWith("\r\n\r\nonetwo"));
  });

  it("without a host are refused (RFC 9112 §3.2)", async (t) => {
    const { asked, got } = await seen(t, "GET / HTTP/1.1");

    assert.match(got, /^HTTP\/1\.1 400 /);
    assert.equal(asked.length, 0);
  });

  it("with a transfer coding that is not undone here are refused", async (t) => {
    const { asked, got } = await seen(
      t,
      "POST / HTTP/1.1",
      "host: a",
      "transfer-encoding: gzip, chunked",
      "",
      "0",
    );

    assert.match(got, /^HTTP\/1\.1 400 /);
    assert.equal(asked.length, 0);
  });

  it("in a row on one connection are answered in their order", async (t) => {
    const port = await useHttpTarget(t, ({ url }, response) => {
      // The later one is answered first.
      if (url === "/1") setImmediate(() => setImmediate(() => response.end("first")));
      else response.end("second");
    });
    const { connect } = await useProxy(t, port, { mode: HTTP });
    const client = await connect();

    const got = speak(client, "GET /1 HTTP/1.1", "host: a", "", "GET /2 HTTP/1.1", "host: a");
    await until("both are answered", () => got().includes("second"));

    assert.ok(got().indexOf("first") < got().indexOf("second"));
  });
});

describe("answers that are none", () => {
  it("are a 502", async (t) => {
    const port = await useTarget(t, (socket) => void socket.once("data", () => socket.end("what?\r\n\r\n")));
    const { connect } = await useProxy(t, port, { mode: HTTP });
    const client = await connect();

    const got = speak(client, "GET / HTTP/1.1", "host: a");

    await until("it is answered", () => got().includes("TARGET_BROKEN"));
  });
});
