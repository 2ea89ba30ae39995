/** From a put to gRPC under mutual TLS: the daemon, its hook, and a service and clients of the examples that swap. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { connect } from "node:tls";
import { useExampleProgram } from "../support/example.ts";
import { tokensOf, useHotStand } from "../support/hot-stand.ts";
import { until } from "../support/wait.ts";

const ROTATIONS = 20;

type Stand = Awaited<ReturnType<typeof useHotStand>>;

/** A connection without a client certificate: in TLS 1.3 only what comes after the handshake says that one is needed. */
async function connectBare({ port, serverName, ca }: Stand["target"]): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port, servername: serverName, ca, ALPNProtocols: ["h2"] });
  try {
    await once(socket, "data");
  } finally {
    socket.destroy();
  }
}

/** The client of the examples, which calls over and over. */
function useCaller(t: TestContext, { env, service }: Stand, tokens: number) {
  const target = { GRPC_TARGET: `127.0.0.1:${service.port}`, TOKENS: String(tokens) };
  const { lines } = useExampleProgram(t, ["grpc", "call"], { ...env, ...target });
  return {
    ended: () => lines.filter(({ event }) => event === "answered" || event === "failed"),
    /** What each answer has to be. */
    whole: tokensOf(tokens)
      .map((token) => `${token} `)
      .join(""),
  };
}

describe("a gRPC service that follows its bundle, told by the daemon", () => {
  it(`serves ${ROTATIONS} rotations to clients that turn their certificate too, and drops nothing`, async (t) => {
    const stand = await useHotStand(t, "grpc");
    const { daemon, target, rotate } = stand;
    // The calls of one last for many rotations: six seconds at least.
    const [long, short] = [useCaller(t, stand, 300), useCaller(t, stand, 10)];
    await until("a call was answered", () => short.ended().length > 0);

    const fingerprints: string[] = [];
    while (fingerprints.length < ROTATIONS || long.ended().length === 0) fingerprints.push(await rotate());
    const last = fingerprints.at(-1);
    await until("a call was made with the last certificate", () =>
      short.ended().some(({ fingerprint256 }) => fingerprint256 === last),
    );

    for (const { ended, whole } of [long, short])
      assert.deepEqual([...new Set(ended().map(({ message, text }) => message ?? text))], [whole]);
    await assert.rejects(connectBare(target), { code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" });
    assert.equal(await daemon.metric("keyturn_served_matches", { bundle: "inference" }), 1);
    const live = await daemon.metric("keyturn_reloads_total", { bundle: "inference", outcome: "live" });
    assert.equal(live, fingerprints.length + 1);
  });
});
