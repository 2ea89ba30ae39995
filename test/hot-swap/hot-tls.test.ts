import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import { Agent, createServer as createHttpsServer, get } from "node:https";
import { describe, it, type TestContext } from "node:test";
import { connect, createServer as createTlsServer, type Server } from "node:tls";
import type { HotTlsOptions } from "../../src/hot-swap/hot-tls.ts";
import { hotTls } from "../../src/hot-swap/hot-tls.ts";
import { serverNames } from "../../src/hot-swap/server-names.ts";
import { see } from "../support/hot-server.ts";
import { listenFor } from "../support/listen.ts";
import { type Minted, mintAuthority } from "../support/mint.ts";
import { type TurningBundle, useSource, useTurningBundle } from "../support/turning-bundle.ts";
import { until } from "../support/wait.ts";

async function setUp(t: TestContext, server: Server, options: HotTlsOptions = {}) {
  const bundle = await useTurningBundle(t);
  const first = await bundle.turn();
  const source = await useSource(t, bundle.dir);
  const hot = hotTls(server, source, options);
  const port = await listenFor(t, server);
  const ca = bundle.root.pem;
  const turn = async () => {
    const turned = await bundle.turn();
    await source.reload();
    return turned;
  };
  return { bundle, first, source, hot, port, ca, turn };
}

/** Reads a line that the other side echoes. */
async function echo(socket: ReturnType<typeof connect>, text: string): Promise<string> {
  socket.write(text);
  const [data] = (await once(socket, "data")) as [Buffer];
  return data.toString();
}

const SERVERS: readonly (readonly [string, () => Server])[] = [
  ["tls", () => createTlsServer({}, (socket) => socket.pipe(socket))],
  ["https", () => createHttpsServer({}, (_, response) => response.end("ok"))],
  ["http2", () => createSecureServer({}, (_, response) => response.end("ok"))],
];

for (const [kind, create] of SERVERS) {
  describe(`a server of ${kind} that follows its bundle`, () => {
    it("serves what is current, and the next generation as soon as it is there", async (t) => {
      const { bundle, first, port, ca } = await setUp(t, create());
      assert.equal((await see(port, { ca })).fingerprint256, first.fingerprint256);

      const { fingerprint256 } = await bundle.turn();

      await until("it is served", async () => (await see(port, { ca })).fingerprint256 === fingerprint256);
    });

    it("keeps everything else of its context through swaps", async (t) => {
      const tls = { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" } as const;
      const { port, ca, turn } = await setUp(t, create(), { tls });
      for (let swap = 0; swap < 2; swap++) {
        assert.equal((await see(port, { ca })).protocol, "TLSv1.2");
        await assert.rejects(see(port, { ca, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" }));
        await turn();
      }
    });

    it("goes on with what it has once that is ended", async (t) => {
      const { first, hot, port, ca, turn } = await setUp(t, create());
      hot.close();
      await turn();
      assert.equal((await see(port, { ca })).fingerprint256, first.fingerprint256);
    });
  });
}

describe("a connection that is open while its server swaps", () => {
  it("goes on, of tls", async (t) => {
    const { port, ca, turn } = await setUp(
      t,
      createTlsServer({}, (socket) => socket.pipe(socket)),
    );
    const socket = connect({ host: "127.0.0.1", port, servername: "inference.local", ca });
    await once(socket, "secureConnect");
    for (let swap = 0; swap < 5; swap++) {
      assert.equal(await echo(socket, `${swap}`), `${swap}`);
      await turn();
    }
    socket.destroy();
  });

  it("is used for the next request, of https with keep-alive", async (t) => {
    const { port, ca, turn } = await setUp(
      t,
      createHttpsServer({}, (_, response) => response.end("ok")),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, servername: "inference.local" });
    t.after(() => agent.destroy());
    const ports = new Set<number | undefined>();
    for (let swap = 0; swap < 3; swap++) {
      const [response] = await once(get({ host: "127.0.0.1", port, agent }), "response");
      ports.add(response.socket.localPort);
      response.resume();
      await once(response, "end");
      await turn();
    }
    assert.equal(ports.size, 1);
  });
});

describe("a server with several bundles", () => {
  async function setUpNames(t: TestContext) {
    const [chat, embed] = await Promise.all([useTurningBundle(t, "chat"), useTurningBundle(t, "embed")]);
    const names = { chat: ["chat.local"], embed: ["embed.local", "*.embed.local"] };
    const turnOf = (bundle: TurningBundle, own: readonly string[]) => async () => bundle.turn({ names: own });
    const turn = { chat: turnOf(chat, names.chat), embed: turnOf(embed, names.embed) };
    const first = { chat: await turn.chat(), embed: await turn.embed() };
    const sources = [await useSource(t, chat.dir), await useSource(t, embed.dir)] as const;
    const several = serverNames(sources);
    t.after(() => several.close());
    const server = createTlsServer({ SNICallback: several.SNICallback }, (socket) => socket.pipe(socket));
    hotTls(server, several);
    const port = await listenFor(t, server);
    const ca = [chat.root.pem, embed.root.pem];
    const served = async (servername: string) =>
      (await see(port, { ca, servername, checkServerIdentity: () => undefined })).fingerprint256;
    return { first, turn, sources, served };
  }

  it("gives each name the bundle whose leaf is for it, and any other name the first", async (t) => {
    const { first, served } = await setUpNames(t);
    for (const name of ["embed.local", "EMBED.local", "a.embed.local"])
      assert.equal(await served(name), first.embed.fingerprint256, name);
    for (const name of ["chat.local", "elsewhere.local", "a.b.embed.local"])
      assert.equal(await served(name), first.chat.fingerprint256, name);
  });

  it("swaps each by itself", async (t) => {
    const { first, turn, sources, served } = await setUpNames(t);
    const second = await turn.embed();
    await sources[1].reload();
    assert.deepEqual(
      [await served("chat.local"), await served("embed.local")],
      [first.chat.fingerprint256, second.fingerprint256],
    );

    const third = await turn.chat();
    await sources[0].reload();
    assert.deepEqual(
      [await served("chat.local"), await served("embed.local")],
      [third.fingerprint256, second.fingerprint256],
    );
  });
});

describe("a server that trusts by another bundle", () => {
  it("follows that one too", async (t) => {
    const own = await useTurningBundle(t);
    const mesh = await useTurningBundle(t, "mesh");
    await own.turn({ anchors: [] });
    const { leaf: before } = await mesh.turn();
    const [source, trust] = [await useSource(t, own.dir), await useSource(t, mesh.dir)];
    const server = createTlsServer({ requestCert: true, rejectUnauthorized: false }, (socket) => {
      socket.end(String(socket.authorized));
    });
    hotTls(server, source, { trust });
    const port = await listenFor(t, server);
    const isTrusted = async ({ pem: cert, keyPem: key }: Minted) => {
      const ca = own.root.pem;
      const socket = connect({ host: "127.0.0.1", port, servername: "inference.local", ca, cert, key });
      const [answer] = (await once(socket, "data")) as [Buffer];
      return answer.toString() === "true";
    };
    assert.equal(await isTrusted(before), true);

    const issuer = mintAuthority("Other Root");
    const { leaf: after } = await mesh.turn({ issuer, anchors: [issuer] });
    await trust.reload();

    assert.deepEqual([await isTrusted(before), await isTrusted(after)], [false, true]);
  });
});

describe("a connection of an earlier generation, where those have to end", () => {
  const maxConnectionAge = { afterMs: 0, windowMs: 50 };

  it("is told so with the next response, of https, and not before", async (t) => {
    const server = createHttpsServer({ keepAliveTimeout: 60_000 }, (_, response) => response.end("ok"));
    const { port, ca, turn } = await setUp(t, server, { maxConnectionAge });
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, servername: "inference.local" });
    t.after(() => agent.destroy());
    const ask = async () => {
      const [response] = await once(get({ host: "127.0.0.1", port, agent }), "response");
      response.resume();
      await once(response, "end");
      return response.headers.connection as string;
    };
    assert.equal(await ask(), "keep-alive");
    assert.equal(await ask(), "keep-alive");

    await turn();

    await until("it is told", async () => (await ask()) === "close");
    assert.equal(await ask(), "keep-alive");
  });

  it("gets GOAWAY and finishes its streams, of http2", async (t) => {
    const server = createSecureServer({});
    const finish: (() => void)[] = [];
    server.on("stream", (stream) => {
      stream.respond();
      stream.write("begun ");
      finish.push(() => stream.end("ended"));
    });
    const { port, ca, turn } = await setUp(t, server, { maxConnectionAge });
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, servername: "inference.local" });
    t.after(() => session.destroy());
    const stream = session.request();
    stream.setEncoding("utf8");
    let text = "";
    stream.on("data", (chunk: string) => {
      text += chunk;
    });
    await until("it has begun", () => text === "begun ");
    const goaway = once(session, "goaway");

    await turn();
    await goaway;
    for (const end of finish) end();
    await once(stream, "end");

    assert.equal(text, "begun ended");
  });

  it("is refused as a wish of a server that does not know when a message ends", async (t) => {
    const server = createTlsServer({});
    await assert.rejects(setUp(t, server, { maxConnectionAge }), TypeError);
  });
});
