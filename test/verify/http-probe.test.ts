import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { freePorts } from "../../src/dev/etcd.ts";
import { type HttpProbe, verifyHttp } from "../../src/verify/http-probe.ts";
import { manualClock } from "../support/manual-clock.ts";
import { patientClock } from "../support/patient-clock.ts";
import { createBundleMaker } from "../support/pki.ts";
import { untroubled } from "../support/probe-stand.ts";
import { until } from "../support/wait.ts";

describe("readiness over HTTP", () => {
  it("is there at once where the status is the right one", async (t) => {
    const clock = patientClock();
    const health = await useHealth(t, 200);
    assert.deepEqual(await verifyHttp(probeOf(health.url), clock, untroubled()), { kind: "done" });
    assert.deepEqual([health.requests, clock.waits], [["GET /health"], []]);
  });

  it("is waited for, ever more rarely", async (t) => {
    const clock = patientClock();
    const health = await useHealth(t, 503, 503, 404, 200);
    assert.deepEqual(await verifyHttp(probeOf(health.url), clock, untroubled()), { kind: "done" });
    assert.deepEqual(clock.waits, [20, 40, 80]);
  });

  it("is waited for where nobody listens yet", async (t) => {
    const [port = 0] = await freePorts(1);
    const clock = patientClock(async () => {
      if (clock.waits.length === 3)
        await useServer(
          t,
          createServer((_, respond) => respond.end()),
          port,
        );
    });
    const url = `http://127.0.0.1:${port}/health`;
    assert.deepEqual(await verifyHttp(probeOf(url), clock, untroubled()), { kind: "done" });
    assert.equal(clock.waits.length, 3);
  });

  it("may be another status", async (t) => {
    const health = await useHealth(t, 302);
    const probe = { ...probeOf(health.url), expect: 302 };
    assert.deepEqual(await verifyHttp(probe, patientClock(), untroubled()), { kind: "done" });
  });

  it("is not sought where a redirect leads", async (t) => {
    const elsewhere = await useHealth(t, 200);
    const health = await useHttp(t, (_, respond) =>
      respond.writeHead(307, { location: elsewhere.url }).end(),
    );
    const answer = await verifyHttp(probeOf(health), patientClock(), untroubled());
    assert.deepEqual(answer, {
      kind: "failed",
      message: `vllm answers 307, not 200, on ${health} after 10 s: see its log`,
    });
    assert.equal(elsewhere.requests.length, 0);
  });

  it("is not judged by the certificate it is behind", async (t) => {
    const { make } = await createBundleMaker();
    const { chain, key } = await make("elsewhere.local");
    const server = createTlsServer({ cert: chain, key }, (_, respond) => respond.end());
    const url = (await useServer(t, server)).replace("http:", "https:");
    assert.deepEqual(await verifyHttp(probeOf(url), patientClock(), untroubled()), { kind: "done" });
  });

  it("does not read a body that never ends, and leaves no connection behind", async (t) => {
    const sockets = new Set<Socket>();
    const url = await useHttp(t, (request, respond) => {
      sockets.add(request.socket);
      respond.writeHead(200);
      const write = () => {
        while (!respond.destroyed && respond.write(Buffer.alloc(64 << 10)));
      };
      respond.on("drain", write);
      write();
    });
    assert.deepEqual(await verifyHttp(probeOf(url), patientClock(), untroubled()), { kind: "done" });
    await until("the connection is gone", () => [...sockets].every(({ destroyed }) => destroyed));
  });
});

describe("a service that does not become ready", () => {
  it("failed with its last status, and without the query of the address", async (t) => {
    const health = await useHealth(t, 404, 503);
    const answer = await verifyHttp(probeOf(`${health.url}?token=s3cr3t`), patientClock(), untroubled());
    assert.deepEqual(answer, {
      kind: "failed",
      message: `vllm answers 503, not 200, on ${health.url} after 10 s: see its log`,
    });
  });

  it("failed with the error where nobody listens", async () => {
    const [port] = await freePorts(1);
    const url = `http://127.0.0.1:${port}/health`;
    assert.deepEqual(await verifyHttp(probeOf(url), patientClock(), untroubled()), {
      kind: "failed",
      message: `vllm does not answer (ECONNREFUSED) on ${url} after 10 s: see its log`,
    });
  });

  it("failed where it stays silent: each request has a deadline of its own", async (t) => {
    const url = await useTcp(t, () => undefined);
    const answer = await verifyHttp({ ...probeOf(url), withinMs: 20 }, patientClock(), untroubled());
    assert.deepEqual(answer, {
      kind: "failed",
      message: `vllm does not answer (no answer within 1000 ms) on ${url} after 0 s: see its log`,
    });
  });

  for (const [what, behave, expected] of [
    ["resets the connection", (socket: Socket) => socket.resetAndDestroy(), /ECONNRESET/],
    ["does not speak HTTP", (socket: Socket) => socket.end("220 mail ESMTP\r\n"), /HPE_INVALID/],
    ["switches protocols", (socket: Socket) => socket.write(SWITCH), /answers 101/],
    [
      "sends headers without end",
      (socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(1 << 20)}`),
      /HPE_HEADER/,
    ],
  ] as const) {
    it(`failed where it ${what}, and no connection stays`, async (t) => {
      const sockets = new Set<Socket>();
      const url = await useTcp(t, (socket) => {
        sockets.add(socket);
        behave(socket);
      });
      const answer = await verifyHttp({ ...probeOf(url), withinMs: 100 }, patientClock(), untroubled());
      assert.equal(answer.kind, "failed");
      assert.match(answer.message, expected);
      await until("the connections are gone", () => [...sockets].every(({ destroyed }) => destroyed));
    });
  }
});

describe("an abort", () => {
  it("ends a wait with the signal's reason", async (t) => {
    const clock = manualClock();
    const health = await useHealth(t, 503);
    const abort = new AbortController();
    const reason = new Error("newer content came");
    const rejected = assert.rejects(verifyHttp(probeOf(health.url), clock, abort.signal), reason);
    await until("it waits", () => clock.sleeping.length === 1);
    abort.abort(reason);
    await rejected;
  });

  it("ends a request with the signal's reason, and not when its time is over", async (t) => {
    const sockets: Socket[] = [];
    const url = await useTcp(t, (socket) => sockets.push(socket));
    const [patient, aborted] = [new AbortController(), new AbortController()];
    const reason = new Error("newer content came");
    const clock = patientClock();
    const earlier = assert.rejects(verifyHttp(probeOf(url), clock, patient.signal), reason);
    await until("it asks", () => sockets.length === 1);
    const rejected = assert.rejects(verifyHttp(probeOf(url), patientClock(), aborted.signal), reason);
    await until("it asks too", () => sockets.length === 2);
    aborted.abort(reason);
    await rejected;
    assert.deepEqual(clock.waits, [], "one that asked earlier has run out of time");
    patient.abort(reason);
    await earlier;
    await until("the connections are gone", () => sockets.every(({ destroyed }) => destroyed));
  });
});

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n";

function probeOf(url: string): HttpProbe {
  return { service: "vllm", url, expect: 200, withinMs: 10_000 };
}

/** Answers with one status after another, and then with the last one. */
async function useHealth(t: TestContext, ...statuses: readonly number[]) {
  const requests: string[] = [];
  const url = await useHttp(t, ({ method, url: path }, respond) => {
    const status = statuses[Math.min(requests.length, statuses.length - 1)] ?? 200;
    requests.push(`${method} ${path}`);
    respond.writeHead(status).end("not read");
  });
  return { url, requests };
}

function useHttp(t: TestContext, listener: RequestListener): Promise<string> {
  return useServer(t, createServer(listener));
}

/** A server below HTTP: what it does when something arrives. */
function useTcp(t: TestContext, behave: (socket: Socket) => void): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => behave(socket));
  });
  return useServer(t, server);
}

/** Listens until the test is over; gives the address of its health endpoint. */
async function useServer(t: TestContext, server: Server, port = 0): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
}
