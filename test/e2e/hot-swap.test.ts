/** From a put to what a service serves: the daemon, its hook, and a service of the examples that swaps under load. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { get } from "node:https";
import { describe, it, type TestContext } from "node:test";
import { asksOf } from "../../src/demo/ask.ts";
import { startTraffic } from "../../src/demo/traffic.ts";
import { CloseStack } from "../../src/runtime/close-stack.ts";
import { shakeHands } from "../support/handshakes.ts";
import { tokensOf, useHotStand } from "../support/hot-stand.ts";
import { until } from "../support/wait.ts";

const ROTATIONS = 20;
/** Of a stream that lasts for many rotations: six seconds at least. */
const TOKENS = 300;
const STREAM = `/stream?tokens=${TOKENS}`;
const EVENTS = tokensOf(TOKENS).map((token, at) => `id: ${at}\ndata: ${token}\n\n`);
const WHOLE = `${EVENTS.join("")}data: [DONE]\n\n`;

type Target = Awaited<ReturnType<typeof useHotStand>>["target"];

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}

async function useSession(t: TestContext, { port, serverName, ca }: Target): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { servername: serverName, ca });
  t.after(() => session.destroy());
  await once(session, "connect");
  return session;
}

/** A stream of server-sent events by HTTP/1.1, to its end. */
async function streamByHttp1({ port, serverName, ca }: Target): Promise<string> {
  const sent = get({ host: "127.0.0.1", port, path: STREAM, servername: serverName, ca, agent: false });
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return textOf(response);
}

describe("a service that follows its bundle, told by the daemon", () => {
  it(`serves each of ${ROTATIONS} rotations, verified by handshake, and drops nothing`, async (t) => {
    const { service, daemon, target, rotate, metric } = await useHotStand(t, "inference");
    const closes = new CloseStack();
    t.after(() => closes.close());
    const traffic = startTraffic(asksOf(target, closes));
    t.after(() => traffic.stop());
    const session = await useSession(t, target);
    let isOver = false;
    const long = Promise.all([
      streamByHttp1(target),
      textOf(session.request({ ":path": STREAM })),
      textOf(session.request({ ":path": STREAM })),
    ]).finally(() => {
      isOver = true;
    });

    const fingerprints: string[] = [];
    while (fingerprints.length < ROTATIONS || !isOver) {
      const fingerprint = await rotate();
      fingerprints.push(fingerprint);
      assert.equal(await shakeHands(target), fingerprint);
    }
    const texts = await long;
    const late = await textOf(session.request({ ":path": "/stream?tokens=1" }));
    await traffic.stop();

    assert.deepEqual(traffic.counts.failures, []);
    assert.equal(traffic.counts.failed, 0);
    assert.ok(traffic.counts.streams > 0);
    assert.deepEqual(texts, [WHOLE, WHOLE, WHOLE]);
    // The connection of before the first rotation still serves.
    assert.equal(late, "id: 0\ndata: keys\n\ndata: [DONE]\n\n");
    await until("it was told of each", () => {
      const hooked = service.lines.filter(({ event, status }) => event === "hook" && status === 200);
      const told = new Set(hooked.map(({ fingerprint256 }) => fingerprint256));
      return fingerprints.every((one) => told.has(one));
    });
    const reloads = (outcome: string) =>
      daemon.metric("keyturn_reloads_total", { bundle: "inference", outcome });
    assert.deepEqual([await reloads("live"), await reloads("rolledBack")], [fingerprints.length + 1, 0]);
    assert.equal(await daemon.metric("keyturn_served_matches", { bundle: "inference" }), 1);
    const swaps = await metric(/^keyturn_swap_duration_seconds_count\{bundle="inference"\} (\d+)$/m);
    assert.equal(Number(swaps), fingerprints.length);
  });

  it("goes on with its certificate where it refuses the new one, and the daemon goes back", async (t) => {
    const { etcd, pki, service, daemon, target, first, metric } = await useHotStand(t, "inference");

    await etcd.put("/certs/inference.pem", (await pki.make("elsewhere.local")).whole);
    const ended = await until("the daemon went back", () =>
      daemon.log.find(({ event, outcome }) => event === "reload.finished" && outcome === "rolledBack"),
    );

    assert.match(String(ended.why), /inference answered 422 on /);
    assert.equal(await shakeHands(target), first);
    const statuses = () => service.lines.flatMap(({ event, status }) => (event === "hook" ? [status] : []));
    await until("it has said so", () => statuses().length > 1);
    assert.deepEqual(statuses().slice(0, 2), [200, 422]);
    const refused = service.lines.find(({ event }) => event === "refused");
    assert.match(String(refused?.message), /the certificate is not for inference\.local$/);
    assert.equal(await metric(/^keyturn_swap_failures_total\{.*code="GENERATION_REFUSED"\} (\d+)$/m), "1");
  });
});
