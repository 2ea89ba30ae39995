import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectPlain, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePorts } from "../../src/dev/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { mint, mintAuthority } from "../support/mint.ts";
import { allOf, useProxy, useTarget } from "../support/proxy-stand.ts";
import { useTurningBundle } from "../support/turning-bundle.ts";
import { stays, until } from "../support/wait.ts";

const ENDED = 'result="ended"';
const MEGABYTE = 1 << 20;

describe("the proxy of bytes", () => {
  it("passes them both ways, and counts connections and bytes", async (t) => {
    const port = await useTarget(t, (socket) => socket.pipe(socket));
    const { connect, metric } = await useProxy(t, port);
    const client = await connect();

    client.write("hello");
    const [answer] = await once(client, "data");

    assert.equal(String(answer), "hello");
    assert.equal(await metric("keyturn_proxy_connections"), 1);
    assert.equal(await metric("keyturn_proxy_bytes_total", 'direction="to_target"'), 5);
    assert.equal(await metric("keyturn_proxy_bytes_total", 'direction="to_client"'), 5);
    client.end();
    await until("it is over", async () => (await metric("keyturn_proxy_connections")) === 0);
    assert.equal(await metric("keyturn_proxy_connections_total", ENDED), 1);
  });

  it("lets a client end its half, and brings the answer to everything", async (t) => {
    const port = await useTarget(t, async (socket) => {
      const all = await allOf(socket);
      socket.end(createHash("sha256").update(all).digest("hex"));
    });
    const { connect, metric } = await useProxy(t, port);
    const client = await connect();
    const sent = randomBytes(3 * MEGABYTE);

    client.end(sent);
    const answer = String(await allOf(client));

    assert.equal(answer, createHash("sha256").update(sent).digest("hex"));
    await until("it ended well", async () => (await metric("keyturn_proxy_connections_total", ENDED)) === 1);
  });

  it("lets the target end its half first, and takes on what the client still says", async (t) => {
    let got: Promise<Buffer> | undefined;
    const port = await useTarget(t, (socket) => {
      got = allOf(socket);
      socket.end("greeting");
    });
    const { connect } = await useProxy(t, port);
    const client = await connect();

    assert.equal(String(await allOf(client)), "greeting");
    client.end("still here");

    assert.equal(String(await got), "still here");
  });

  it("loses nothing of what a target says right before it ends", async (t) => {
    const sent = randomBytes(8 * MEGABYTE);
    const port = await useTarget(t, (socket) => {
      socket.end(sent);
      socket.resume();
    });
    const { connect } = await useProxy(t, port);
    const client = await connect();
    await until("the target has ended", () => client.readableLength > 0);

    assert.ok((await allOf(client)).equals(sent));
  });

  it("does not read faster than the other side does", async (t) => {
    let target: Socket | undefined;
    const port = await useTarget(t, (socket) => {
      target = socket;
    });
    const { connect } = await useProxy(t, port);
    const client = await connect();
    const chunk = Buffer.alloc(MEGABYTE);
    let written = 0;
    const write = () => {
      while (client.write(chunk, () => written++)) {}
    };
    client.on("drain", write);
    write();

    await until("the target is there", () => target !== undefined);
    let last = -1;
    await until("nothing more is taken", async () => {
      const before = written;
      await stays(() => written === before, "it is full", 200).catch(() => undefined);
      const isFull = written === before && before === last;
      last = written;
      return isFull;
    });
    assert.ok(written < 64, `${written} MiB were taken for a target that reads nothing`);
    target?.resume();
    const full = written;
    await until("it goes on", () => written > full);
  });

  it("passes bytes to a unix socket", async (t) => {
    const path = join(await useFolder(t), "target.sock");
    const server = createServer((socket) => socket.pipe(socket)).listen(path);
    await once(server, "listening");
    t.after(() => server.close());
    const { connect } = await useProxy(t, path);
    const client = await connect();

    client.end("hello");

    assert.equal(String(await allOf(client)), "hello");
  });

  it("closes the connection where the target takes none, counts it, and says it once", async (t) => {
    const [port = 0] = await freePorts(1);
    const { connect, metric, log } = await useProxy(t, port);

    for (let i = 0; i < 3; i++) {
      const client = await connect();
      await once(client.resume(), "close").catch(() => undefined);
    }

    assert.equal(await metric("keyturn_proxy_connections_total", 'result="target_refused"'), 3);
    const said = log.filter(({ fault }) => fault === "target_refused");
    assert.deepEqual(said.length, 1);
    assert.match(String(said[0]?.why), /ECONNREFUSED/);
  });

  it("cuts a client that says nothing in time", async (t) => {
    const port = await useTarget(t, () => assert.fail("nothing is to be passed on"));
    const { proxy, metric } = await useProxy(t, port, { handshakeTimeoutMs: 50 });
    const silent = connectPlain(proxy.port, "127.0.0.1");

    await once(silent.on("error", () => undefined).resume(), "close");

    await until(
      "it is counted",
      async () => (await metric("keyturn_proxy_connections_total", 'result="handshake_failed"')) === 1,
    );
    assert.equal(await metric("tls_handshake_failure_total", 'reason="timeout",server_name=""'), 1);
  });

  it("resets the target where a client is gone in the middle of something", async (t) => {
    let code: string | undefined;
    const port = await useTarget(t, (socket) => {
      socket.resume().on("error", (error: NodeJS.ErrnoException) => {
        code = error.code;
      });
      socket.write("begun");
    });
    const { proxy, connect, metric } = await useProxy(t, port);
    const plain = connectPlain(proxy.port, "127.0.0.1");
    const client = await connect({ socket: plain });
    await once(client, "data");

    plain.resetAndDestroy();

    await until("the target is told", () => code === "ECONNRESET");
    assert.equal(await metric("keyturn_proxy_connections_total", 'result="broken"'), 1);
  });

  it("resets the client where the target breaks off: nobody can take it for the end", async (t) => {
    const port = await useTarget(t, (socket) => {
      socket.write("begun");
      // Not at once: where a reset comes together with bytes, libuv tells of an end.
      socket.once("data", () => setImmediate(() => socket.resetAndDestroy()));
    });
    const { connect, metric } = await useProxy(t, port);
    const client = await connect();
    let error: NodeJS.ErrnoException | undefined;
    client.on("error", (thrown) => {
      error = thrown;
    });
    await once(client, "data");

    client.write("x");
    await until("it is closed", () => client.closed);

    assert.equal(error?.code, "ECONNRESET");
    assert.equal(await metric("keyturn_proxy_connections_total", 'result="broken"'), 1);
  });

  it("offers the protocols that the service behind speaks, and none by default", async (t) => {
    const port = await useTarget(t, (socket) => socket.pipe(socket));
    const plain = await useProxy(t, port);
    const spoken = await useProxy(t, port, { mode: { kind: "bytes", alpn: ["h2", "http/1.1"] } });

    const ALPNProtocols = ["http/1.1", "h2"];
    assert.equal((await plain.connect({ ALPNProtocols })).alpnProtocol, false);
    assert.equal((await spoken.connect({ ALPNProtocols })).alpnProtocol, "h2");
    await assert.rejects(spoken.connect({ ALPNProtocols: ["h3"] }), /alert/i);
  });

  it("goes on with connections that are there when the certificate is swapped", async (t) => {
    const port = await useTarget(t, (socket) => socket.pipe(socket));
    const { bundle, connect, log } = await useProxy(t, port);
    const old = await connect();

    const { fingerprint256 } = await bundle.turn();
    await until("it is swapped", () => log.some(({ msg }) => msg === "certificate was swapped"));
    old.end("still here");

    assert.equal(String(await allOf(old)), "still here");
    assert.equal((await connect()).getPeerX509Certificate()?.fingerprint256, fingerprint256);
  });
});

describe("client certificates, of bytes", () => {
  for (const who of ["required", "optional"] as const) {
    it(`${who}: lets in who has one of the trusted authority, and nobody with another`, async (t) => {
      const port = await useTarget(t, (socket) => socket.pipe(socket));
      const { bundle, connect, metric } = await useProxy(t, port, { clientCertificates: who });
      const known = mint({ issuer: bundle.root, subject: "client" });
      const stranger = mint({ issuer: mintAuthority("Other Root"), subject: "client" });
      const passed = async (identity: { cert?: string; key?: string }) => {
        const client = await connect(identity);
        client.end("in");
        return String(await allOf(client).catch(() => ""));
      };

      assert.equal(await passed({ cert: known.pem, key: known.keyPem }), "in");
      assert.equal(await passed({ cert: stranger.pem, key: stranger.keyPem }), "");
      assert.equal(await passed({}), who === "required" ? "" : "in");
      const refused = who === "required" ? "handshake_failed" : "client_refused";
      assert.ok((await metric("keyturn_proxy_connections_total", `result="${refused}"`)) >= 1);
    });
  }

  it("are not asked for where nothing is trusted: it does not start", async (t) => {
    const bundle = await useTurningBundle(t);
    await bundle.turn({ anchors: [] });

    await assert.rejects(useProxy(t, 1, { clientCertificates: "required" }, bundle), {
      code: "GENERATION_REFUSED",
      message: /brings no authority/,
    });
  });
});
