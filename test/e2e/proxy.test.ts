import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createPlain } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { connect } from "node:tls";
import { freePorts } from "../../src/dev/etcd.ts";
import { repeat } from "../../src/runtime/clock.ts";
import { runKeyturn, useDaemon } from "../support/daemon.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { shakeHands, startHandshakes } from "../support/handshakes.ts";
import { type HttpClient, useHttpClient } from "../support/http-clients.ts";
import { listenFor } from "../support/listen.ts";
import { createBundleMaker } from "../support/pki.ts";
import { useProxyProcess } from "../support/proxy-process.ts";
import { until } from "../support/wait.ts";
import { writeSecret } from "../support/webhook-secret.ts";

const ROTATIONS = 4;
const EVENTS = /data: (\d+)\n\n/g;

/** An engine without TLS: answers, and streams numbers until it is told to end. */
async function useEngine(t: TestContext) {
  const streams = new Map<ServerResponse, number>();
  const server: Server = createServer((request, response) => {
    if (request.url === "/stream") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      streams.set(response, 0);
      response.once("close", () => streams.delete(response));
    } else request.pipe(response);
  });
  const stop = repeat(5, () => {
    for (const [response, next] of streams) {
      response.write(`data: ${next}\n\n`);
      streams.set(response, next + 1);
    }
  });
  t.after(stop);
  const port = await listenFor(t, server);
  return {
    port,
    streams,
    endStreams: () => {
      for (const response of streams.keys()) response.end("data: end\n\n");
      streams.clear();
    },
  };
}

/** Reads a stream to its end. */
async function readStream(client: HttpClient): Promise<string> {
  const begun = client.begin({ path: "/stream" });
  begun.body.end();
  let text = "";
  for await (const chunk of (await begun.answered).body) text += chunk;
  return text;
}

function assertWhole(text: string): void {
  const numbers = [...text.matchAll(EVENTS)].map(([, number]) => Number(number));
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i),
  );
  assert.ok(text.endsWith("data: end\n\n"), "it was cut off");
}

describe("keyturn proxy in front of a service without TLS", () => {
  it("serves what was put into etcd, again and again, and drops nothing of what goes through it", async (t) => {
    const [etcd, folder, pki, engine] = await Promise.all([
      useEtcd(t),
      useFolder(t),
      createBundleMaker(),
      useEngine(t),
    ]);
    const echoPort = await listenFor(
      t,
      createPlain({ allowHalfOpen: true }, (socket) => void socket.pipe(socket)),
    );
    const [hookPort = 0] = await freePorts(1);
    const { secretFile } = await writeSecret(folder);
    const bundle = join(folder, "output", "inference");
    const hook = ["--hook", `127.0.0.1:${hookPort}`, "--hook-secret-file", secretFile];
    // Before there is anything to serve: they wait.
    const http = useProxyProcess(t, [
      "--http",
      "--to",
      `127.0.0.1:${engine.port}`,
      "--bundle",
      bundle,
      ...hook,
    ]);
    const bytes = useProxyProcess(t, ["--to", `127.0.0.1:${echoPort}`, "--bundle", bundle]);
    const notify = { http: { url: `http://127.0.0.1:${hookPort}/-/reload`, secretFile, attempts: 20 } };
    const services = [{ name: "sidecar", bundles: ["*"], notify }];
    const daemon = await useDaemon(t, folder, { etcd: { endpoints: [etcd.endpoint] }, services });
    await etcd.put("/certs/inference.pem", (await pki.make()).whole);
    const first = await daemon.untilLive("inference");
    const [port, bytesPort] = await Promise.all([http.running(), bytes.running()]);
    const ca = pki.root.certificatePem;
    const target = { port, serverName: "inference.local", ca };

    // Traffic, from before the first rotation until after the last.
    const handshakes = startHandshakes(target, 2);
    const clients = (["HTTP/1.1", "HTTP/2"] as const).map((version) =>
      useHttpClient(t, version, { port, ca }),
    );
    let isOver = false;
    const requests = clients.map(async (client) => {
      let count = 0;
      for (; !isOver; count++) {
        const { status, text } = await client.ask({ method: "POST" }, `question ${count}`);
        assert.deepEqual([status, text], [200, `question ${count}`]);
      }
      return count;
    });
    const streams = (["HTTP/1.1", "HTTP/2"] as const).map((version) =>
      readStream(useHttpClient(t, version, { port, ca })),
    );
    const long = connect({ host: "127.0.0.1", port: bytesPort, servername: "inference.local", ca });
    const [sent, got] = [createHash("sha256"), createHash("sha256")];
    long.on("data", (chunk) => got.update(chunk));
    await once(long, "secureConnect");
    let bytesSent = 0;
    const stopBytes = repeat(5, () => {
      const chunk = Buffer.alloc(10_000, bytesSent);
      bytesSent += chunk.length;
      sent.update(chunk);
      long.write(chunk);
    });
    t.after(stopBytes);
    await until("streams flow", () => engine.streams.size === 2 && bytesSent > 0);

    let digest = first.generation?.digest;
    for (let i = 0; i < ROTATIONS; i++) {
      await etcd.put("/certs/inference.pem", (await pki.make()).whole);
      const live = await until("the next is live", async () => {
        const found = await daemon.bundle("inference");
        return found?.state === "live" && found.generation?.digest !== digest ? found : undefined;
      });
      digest = live.generation?.digest;
      const leaf = live.generation?.leaf?.fingerprint256;
      // The hook was answered: it is served, and not soon.
      assert.equal(await shakeHands(target), leaf);
      await until(
        "it is seen without a hook",
        async () => (await shakeHands({ ...target, port: bytesPort })) === leaf,
      );
    }

    isOver = true;
    const counts = await Promise.all(requests);
    await handshakes.stop();
    engine.endStreams();
    stopBytes();
    long.end();
    await once(long, "end");
    for (const text of await Promise.all(streams)) assertWhole(text);
    assert.deepEqual(handshakes.failures, []);
    assert.ok(handshakes.seen.size > ROTATIONS, `${handshakes.seen.size} leaves were seen`);
    assert.ok(counts.every((count) => count > ROTATIONS));
    assert.equal(got.digest("hex"), sent.digest("hex"));
    const swaps = http.log.filter(({ msg }) => msg === "certificate was swapped");
    assert.equal(swaps.length, ROTATIONS);
    assert.ok(!JSON.stringify([...http.log, ...bytes.log]).includes("PRIVATE KEY"));
    assert.deepEqual(await Promise.all([http.stop(), bytes.stop()]), [0, 0]);
  });
});

/** A bundle on disk, put there by a daemon that is left alone after it. */
async function setUp(t: TestContext) {
  const [etcd, folder, pki, engine] = await Promise.all([
    useEtcd(t),
    useFolder(t),
    createBundleMaker(),
    useEngine(t),
  ]);
  const daemon = await useDaemon(t, folder, { etcd: { endpoints: [etcd.endpoint] }, services: [] });
  await etcd.put("/certs/inference.pem", (await pki.make()).whole);
  await daemon.untilLive("inference");
  return { folder, pki, engine, bundle: join(folder, "output", "inference"), ca: pki.root.certificatePem };
}

describe("keyturn proxy", () => {
  it("finishes a stream on SIGTERM while it takes no new clients, and exits 0", async (t) => {
    const { engine, bundle, ca } = await setUp(t);
    const proxy = useProxyProcess(t, ["--http", "--to", `127.0.0.1:${engine.port}`, "--bundle", bundle]);
    const port = await proxy.running();
    const stream = readStream(useHttpClient(t, "HTTP/1.1", { port, ca }));
    await until("it streams", () => engine.streams.size === 1);

    const stopped = proxy.stop();
    await until("it stops", () => proxy.log.some(({ msg }) => msg === "proxy is stopping"));
    await assert.rejects(shakeHands({ port, serverName: "inference.local", ca }), { code: "ECONNREFUSED" });
    engine.endStreams();

    assertWhole(await stream);
    assert.equal(await stopped, 0);
  });

  it("cuts at once on a second signal, and after --drain on one", async (t) => {
    const { engine, bundle, ca } = await setUp(t);
    const args = ["--http", "--to", `127.0.0.1:${engine.port}`, "--bundle", bundle];
    const [patient, hasty] = [useProxyProcess(t, args), useProxyProcess(t, [...args, "--drain", "50ms"])];
    const streams = await Promise.all(
      [patient, hasty]
        .map(async (proxy) => {
          const client = useHttpClient(t, "HTTP/1.1", { port: await proxy.running(), ca });
          return readStream(client).catch(() => "cut");
        })
        .map((stream) => ({ stream })),
    );
    await until("both stream", () => engine.streams.size === 2);

    const first = once(patient.process, "exit");
    patient.process.kill("SIGTERM");
    await until("it stops", () => patient.log.some(({ msg }) => msg === "proxy is stopping"));
    patient.process.kill("SIGTERM");
    await first;

    assert.equal(patient.process.exitCode, 143);
    assert.equal(await hasty.stop(), 0);
    for (const { stream } of streams) assert.equal(await stream, "cut");
    assert.ok(hasty.log.some(({ msg, cut }) => msg === "proxy has stopped" && cut === 1));
  });

  it("lets in only who has a certificate where one is required, and says to the engine who it is", async (t) => {
    const { pki, engine, bundle, ca } = await setUp(t);
    const to = `127.0.0.1:${engine.port}`;
    const who = ["--client-certificates", "required"];
    const proxy = useProxyProcess(t, ["--http", "--to", to, "--bundle", bundle, ...who]);
    const port = await proxy.running();
    const { certificatePem, privateKeyPem } = await pki.intermediate.issue(["client.local"]);
    const identity = { cert: certificatePem + pki.intermediate.certificatePem, key: privateKeyPem };

    const { text } = await useHttpClient(t, "HTTP/2", { port, ca, ...identity }).ask(
      { method: "POST" },
      "in",
    );

    assert.equal(text, "in");
    await assert.rejects(useHttpClient(t, "HTTP/1.1", { port, ca }).ask({}));
    await until("it is said", () => proxy.log.some(({ reason }) => reason === "client_cert_refused"));
  });

  it("answers 502 while its target is down, and is not ready", async (t) => {
    const { bundle, ca } = await setUp(t);
    const [down = 0, metrics = 0] = await freePorts(2);
    const where = ["--to", `127.0.0.1:${down}`, "--metrics", `127.0.0.1:${metrics}`];
    const port = await useProxyProcess(t, ["--http", "--bundle", bundle, ...where]).running();

    const { status, text } = await useHttpClient(t, "HTTP/1.1", { port, ca }).ask({});

    assert.deepEqual([status, JSON.parse(text).error.code], [502, "TARGET_REFUSED"]);
    assert.equal((await fetch(`http://127.0.0.1:${metrics}/readyz`)).status, 503);
    const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    assert.match(page, /^keyturn_proxy_requests_total\{result="target_refused"\} 1$/m);
    assert.match(page, /^tls_cert_not_after_seconds\{bundle="inference",/m);
  });

  for (const [what, args, code, message] of [
    [
      "a command line that makes no sense",
      ["--trust-forwarded"],
      2,
      /USAGE: --trust-forwarded: needs --http/,
    ],
    ["a bundle that is not there in time", ["--wait", "0s"], 1, /BUNDLE_ABSENT: nothing is current in/],
  ] as const) {
    it(`exits ${code} for ${what}, and says why`, async (t) => {
      const bundle = join(await useFolder(t), "inference");
      const where = ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--bundle", bundle];

      const ended = await runKeyturn(["proxy", ...where, ...args]);

      assert.equal(ended.code, code);
      assert.match(ended.stderr, message);
    });
  }
});
