import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { freePorts } from "../../src/dev/etcd.ts";
import type { HttpMode, ProxySettings } from "../../src/proxy/settings.ts";
import { type HttpVersion, useHttpClient } from "../support/http-clients.ts";
import { mint, mintAuthority } from "../support/mint.ts";
import { allOf, HTTP, useHttpTarget, useProxy, useTarget } from "../support/proxy-stand.ts";
import { until } from "../support/wait.ts";

const VERSIONS = ["HTTP/1.1", "HTTP/2"] as const;

async function setUp(
  t: TestContext,
  version: HttpVersion,
  to: RequestListener | number,
  { mode = {}, ...settings }: { mode?: Partial<HttpMode> } & Partial<Omit<ProxySettings, "mode">> = {},
) {
  const port = typeof to === "number" ? to : await useHttpTarget(t, to);
  const stand = await useProxy(t, port, { ...settings, mode: { ...HTTP, ...mode } });
  const peer = { port: stand.proxy.port, ca: stand.bundle.root.pem };
  return { ...stand, peer, client: useHttpClient(t, version, peer) };
}

/** What arrived at the target. */
const echo: RequestListener = (request, response) => {
  response.setHeader("content-type", "application/json");
  const { method, url, headers } = request;
  allOf(request).then(
    (body) => response.end(JSON.stringify({ method, url, headers, body: String(body) })),
    () => response.destroy(),
  );
};

interface Echoed {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

for (const version of VERSIONS) {
  describe(`the proxy of HTTP, over ${version}`, () => {
    it("passes a request and its answer, and says who asked", async (t) => {
      const { client, metric } = await setUp(t, version, echo);
      const headers = { host: "inference.local", "x-forwarded-for": "6.6.6.6", "content-type": "text/plain" };

      const { status, text } = await client.ask({ method: "POST", path: "/v1?a=%20b", headers }, "question");

      const { method, url, headers: got, body } = JSON.parse(text) as Echoed;
      assert.deepEqual([status, method, url, body], [200, "POST", "/v1?a=%20b", "question"]);
      assert.equal(got.host, "inference.local");
      assert.equal(got["x-forwarded-for"], "127.0.0.1");
      assert.equal(got["x-forwarded-proto"], "https");
      assert.equal(got["x-forwarded-host"], "inference.local");
      assert.equal(got["content-type"], "text/plain");
      await until(
        "it is counted",
        async () => (await metric("keyturn_proxy_requests_total", 'result="answered"')) === 1,
      );
    });

    it("keeps a connection to the target for the next request", async (t) => {
      const ports = new Set<number | undefined>();
      const { client } = await setUp(t, version, (request, response) => {
        ports.add(request.socket.remotePort);
        response.end();
      });

      for (let i = 0; i < 5; i++) await client.ask({});

      assert.equal(ports.size, 1);
    });

    it("passes each event of a stream as it comes", async (t) => {
      let answer: ServerResponse | undefined;
      const { client } = await setUp(t, version, (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
        answer = response;
      });
      const begun = client.begin({});
      begun.body.end();
      const { body, headers } = await begun.answered;
      let got = "";
      body.on("data", (chunk) => {
        got += chunk;
      });

      assert.equal(headers["content-type"], "text/event-stream");
      for (let i = 0; i < 3; i++) {
        answer?.write(`data: ${i}\n\n`);
        await until("the event is there", () => got.endsWith(`data: ${i}\n\n`));
      }
      answer?.end();
      await once(body, "end");
    });

    it("passes a body as it comes, and trailers both ways", async (t) => {
      let asked: IncomingMessage | undefined;
      const { client } = await setUp(t, version, (request, response) => {
        asked = request;
        response.writeHead(200, { trailer: "x-after" });
        request.on("data", (chunk) => response.write(`got ${chunk}`));
        request.on("end", () => {
          response.addTrailers({ "x-after": String(request.trailers["x-sum"]) });
          response.end();
        });
      });
      const begun = client.begin({ method: "POST", headers: { te: "trailers", trailer: "x-sum" } });
      begun.body.write("one");
      const { body, trailers } = await begun.answered;
      const [first] = await once(body, "data");

      begun.trailers({ "x-sum": "42" });
      begun.body.end();
      await once(body.resume(), "end");

      assert.equal(String(first), "got one");
      assert.equal(asked?.headers.te, "trailers");
      assert.equal(asked?.headers.trailer, "x-sum");
      assert.equal(trailers()["x-after"], "42");
    });

    it("passes many megabytes both ways without holding them", async (t) => {
      const { client } = await setUp(t, version, (request, response) => void request.pipe(response));
      const sent = randomBytes(16 << 20);
      const begun = client.begin({ method: "PUT" });
      Readable.from(piecesOf(sent)).pipe(begun.body);

      const got = await allOf((await begun.answered).body);

      assert.equal(digestOf(got), digestOf(sent));
    });

    it("frames a body that comes with a GET, and asks for no more than there was", async (t) => {
      const seen: string[] = [];
      const { client } = await setUp(t, version, async (request, response) => {
        seen.push(`${request.method} ${request.url} ${await allOf(request)}`);
        response.end();
      });
      const begun = client.begin({
        path: "/a",
        headers: version === "HTTP/2" ? {} : { "transfer-encoding": "chunked" },
      });
      begun.body.end("GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n");
      await allOf((await begun.answered).body);
      await client.ask({ path: "/b" });

      assert.deepEqual(seen, ["GET /a GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n", "GET /b "]);
    });

    it("passes answers without a body, and their lengths", async (t) => {
      const { client } = await setUp(t, version, ({ url }, response) => {
        if (url === "/204") response.writeHead(204).end();
        else if (url === "/304") response.writeHead(304, { etag: '"a"' }).end();
        else response.writeHead(200, { "content-length": 5 }).end("hello");
      });

      assert.equal((await client.ask({ path: "/204" })).status, 204);
      assert.equal((await client.ask({ path: "/304" })).headers.etag, '"a"');
      const { headers, text } = await client.ask({ method: "HEAD" });
      assert.deepEqual([headers["content-length"], text], ["5", ""]);
      assert.equal((await client.ask({})).text, "hello");
    });

    it("keeps what is of the target's connection from the client", async (t) => {
      const { client } = await setUp(t, version, (_, response) => {
        response.writeHead(200, { connection: "close, x-hop", "x-hop": "1", "set-cookie": ["a=1", "b=2"] });
        response.end();
      });

      const { headers } = await client.ask({});

      assert.equal(headers["x-hop"], undefined);
      assert.deepEqual(headers["set-cookie"], ["a=1", "b=2"]);
      assert.notEqual(headers.connection, "close");
    });

    it("asks the target whether a body is wanted", async (t) => {
      const target = await useHttpTarget(t, (_, response) => void response.end());
      const { client } = await setUp(t, version, target);
      const wanted = await client.ask({ method: "POST", headers: { expect: "100-continue" } }, "body");

      assert.equal(wanted.status, 200);
    });

    it("answers 502 where the target takes no connection, and goes on when it does", async (t) => {
      const [port = 0] = await freePorts(1);
      const { client, metric } = await setUp(t, version, port);

      const { status, text } = await client.ask({ method: "POST" }, "question");

      assert.equal(status, 502);
      assert.equal(JSON.parse(text).error.code, "TARGET_REFUSED");
      assert.equal(await metric("keyturn_proxy_requests_total", 'result="target_refused"'), 1);
    });

    it("answers 502 where the target hangs up without an answer", async (t) => {
      const port = await useTarget(t, (socket) => void socket.once("data", () => socket.destroy()));
      const { client } = await setUp(t, version, port);

      const { status, text } = await client.ask({ method: "POST" }, "question");

      assert.deepEqual([status, JSON.parse(text).error.code], [502, "TARGET_BROKEN"]);
    });

    it("answers 504 where the target does not answer in time", async (t) => {
      const port = await useTarget(t, (socket) => void socket.resume());
      const { client, log } = await setUp(t, version, port, { mode: { responseTimeoutMs: 50 } });

      const { status, text } = await client.ask({ method: "POST" }, "question");

      assert.deepEqual([status, JSON.parse(text).error.code], [504, "TARGET_TIMEOUT"]);
      assert.ok(log.some(({ fault }) => fault === "target_timeout"));
    });

    it("breaks an answer off that the target breaks off: nobody can take it for the whole", async (t) => {
      let answer: ServerResponse | undefined;
      const { client, metric } = await setUp(t, version, (_, response) => {
        answer = response;
        response.write("half of");
      });
      const begun = client.begin({});
      begun.body.end();
      const { body } = await begun.answered;
      const [first] = await once(body, "data");

      answer?.destroy();

      await assert.rejects(once(body, "end"));
      assert.equal(String(first), "half of");
      await until(
        "it is counted",
        async () => (await metric("keyturn_proxy_requests_total", 'result="target_broken"')) === 1,
      );
    });

    it("tells the target when the client is gone", async (t) => {
      let isGone = false;
      const { client, metric } = await setUp(t, version, (_, response) => {
        response.on("close", () => {
          isGone = true;
        });
        response.write("begun");
      });
      const begun = client.begin({});
      begun.body.end();
      const { body } = await begun.answered;
      await once(
        body.on("error", () => undefined),
        "data",
      );

      begun.abort();

      await until("the target knows", () => isGone);
      await until(
        "it is counted",
        async () => (await metric("keyturn_proxy_requests_total", 'result="client_gone"')) === 1,
      );
    });

    it("brings an answer that comes before the end of the request", async (t) => {
      const { client } = await setUp(t, version, (request, response) => {
        response.writeHead(413, { connection: "close" }).end("too much");
        request.resume();
      });
      const begun = client.begin({ method: "POST" });
      begun.body.write("begun");

      const { status, body } = await begun.answered;

      assert.equal(status, 413);
      assert.equal(String(await allOf(body)), "too much");
    });

    it("asks once more by a new connection where the target closed one that was kept", async (t) => {
      let count = 0;
      const { client } = await setUp(t, version, ({ socket }, response) => {
        response.end(String(++count));
        // Gone without a word in the very moment of the next request.
        socket.removeAllListeners("data");
        socket.once("data", () => socket.destroy());
      });

      assert.equal((await client.ask({})).text, "1");
      assert.equal((await client.ask({})).status, 200);
    });

    it("says who the client is by its certificate, and refuses one of a stranger", async (t) => {
      const { bundle, peer } = await setUp(t, version, echo, { clientCertificates: "optional" });
      const known = mint({ issuer: bundle.root, subject: "client" });
      const stranger = mint({ issuer: mintAuthority("Other Root"), subject: "client" });
      const ask = async (identity: { cert?: string; key?: string }) => {
        const headers = { "x-forwarded-client-cert": "forged" };
        return useHttpClient(t, version, { ...peer, ...identity }).ask({ headers });
      };
      const saidBy = ({ text }: { text: string }) =>
        (JSON.parse(text) as Echoed).headers["x-forwarded-client-cert"];

      const sha256 = createHash("sha256").update(known.der).digest("hex");
      assert.equal(
        saidBy(await ask({ cert: known.pem, key: known.keyPem })),
        `Hash=${sha256};Subject="CN=client"`,
      );
      assert.equal(saidBy(await ask({})), undefined);
      assert.equal((await ask({ cert: stranger.pem, key: stranger.keyPem })).status, 403);
    });
  });
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

function digestOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
