import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type ConnectionOptions, connect, createServer } from "node:tls";
import { Registry } from "prom-client";
import { hotMetrics } from "../../src/hot-swap/hot-metrics.ts";
import { hotTls } from "../../src/hot-swap/hot-tls.ts";
import { useFolder } from "../support/folder.ts";
import { forgeGeneration, readCurrent } from "../support/forged-generation.ts";
import { see } from "../support/hot-server.ts";
import { listenFor } from "../support/listen.ts";
import { mintAuthority } from "../support/mint.ts";
import { useSource, useTurningBundle } from "../support/turning-bundle.ts";
import { until } from "../support/wait.ts";

const HAS_OPENSSL = spawnSync("openssl", ["version"]).status === 0;
/** The leaf's key is no RSA key. */
const NO_CIPHER_IN_COMMON = { ciphers: "ECDHE-RSA-AES128-GCM-SHA256", maxVersion: "TLSv1.2" } as const;

interface Failure {
  readonly reason?: string;
  readonly server_name?: string;
  readonly value: number;
}

async function setUp(t: TestContext, options = {}) {
  const bundle = await useTurningBundle(t);
  const first = await bundle.turn();
  const source = await useSource(t, bundle.dir, { lookEveryMs: 3_600_000 });
  const server = createServer(options);
  hotTls(server, source);
  const port = await listenFor(t, server);
  const registry = new Registry();
  const end = hotMetrics(registry, { sources: [source], servers: [server] });
  const values = async (name: string) => {
    const metric = await registry.getSingleMetric(name)?.get();
    return (metric?.values ?? []).map(({ labels, value }) => ({ ...labels, value }));
  };
  const failures = (): Promise<readonly Failure[]> => values("tls_handshake_failure_total");
  return { bundle, first, source, port, registry, end, values, failures };
}

/** Of TLS 1.3 a client hears only afterwards that its certificate was refused. */
async function hangUpOn(port: number, options: ConnectionOptions): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port, servername: "inference.local", ...options });
  socket.on("error", () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
}

describe("the metrics of a service", () => {
  it("show the generation that is served, and when its leaf ends", async (t) => {
    const { bundle, source, values } = await setUp(t);
    const { generation } = await bundle.turn();
    await source.reload();
    const info = { bundle: "inference", generation: generation.id, digest: generation.digest, value: 1 };
    assert.deepEqual(await values("keyturn_followed_generation_info"), [info]);
    const [ends, ...others] = await values("tls_cert_not_after_seconds");
    assert.deepEqual(others, []);
    assert.deepEqual(ends, {
      bundle: "inference",
      subject: "CN=inference.local",
      issuer: "CN=Test Root",
      value: Date.parse(generation.leaf?.notAfter ?? "") / 1000,
    });
  });

  it("count swaps, with what they took, and refusals", async (t) => {
    const { bundle, source, registry, values } = await setUp(t);
    for (let swap = 0; swap < 2; swap++) {
      await bundle.turn();
      await source.reload();
    }
    assert.match(await registry.metrics(), /keyturn_swap_duration_seconds_count\{bundle="inference"\} 2/);

    await forgeGeneration(bundle.dir, "000900-00000000", {
      "tls.crt": await readCurrent(bundle.dir, "tls.crt"),
    });
    await assert.rejects(source.reload());
    const refused = { bundle: "inference", code: "GENERATION_REFUSED", value: 1 };
    assert.deepEqual(await values("keyturn_swap_failures_total"), [refused]);
  });

  it("end when they are ended", async (t) => {
    const { bundle, source, end, values } = await setUp(t);
    const before = await values("keyturn_followed_generation_info");
    end();
    await bundle.turn();
    await source.reload();
    assert.deepEqual(await values("keyturn_followed_generation_info"), before);
  });

  it("count a failed handshake by a name of ours alone", async (t) => {
    const { port, failures } = await setUp(t);
    for (const servername of ["inference.local", "made-up.local"])
      await assert.rejects(see(port, { ...NO_CIPHER_IN_COMMON, servername }));
    await until("both are counted", async () => (await failures()).length === 2);
    assert.deepEqual(await failures(), [
      { reason: "no_shared_cipher", server_name: "inference.local", value: 1 },
      { reason: "no_shared_cipher", server_name: "", value: 1 },
    ]);
  });

  it("count a client that does not trust what is served", async (t) => {
    if (!HAS_OPENSSL)
      return t.skip("Node's client says nothing of that to a server, and openssl is not installed");
    const { bundle, port, failures } = await setUp(t);
    const file = join(await useFolder(t), "ca.pem");
    for (const [ca, counted] of [
      [bundle.root, 0],
      [mintAuthority("Test Root"), 1],
    ] as const) {
      await writeFile(file, ca.pem);
      const client = spawn(
        "openssl",
        ["s_client", "-verify_return_error", "-CAfile", file, "-connect", `127.0.0.1:${port}`],
        {
          stdio: ["ignore", "ignore", "ignore"],
        },
      );
      await once(client, "exit");
      await until("it is counted", async () => (await failures()).length === counted);
    }
    assert.match((await failures())[0]?.reason ?? "", /^(unknown_ca|wrong_cert)$/);
  });

  it("count what does not speak TLS, hangs up, or has no cipher in common", async (t) => {
    const { port, failures } = await setUp(t);
    const plain = connectTcp(port, "127.0.0.1");
    plain.on("error", () => undefined);
    plain.write("GET / HTTP/1.1\r\n\r\n");
    await once(plain, "close");
    const gone = connectTcp(port, "127.0.0.1");
    await once(gone, "connect");
    gone.resetAndDestroy();
    await assert.rejects(see(port, NO_CIPHER_IN_COMMON));
    await until("all are counted", async () => (await failures()).length === 3);
    assert.deepEqual(
      new Set((await failures()).map(({ reason }) => reason)),
      new Set(["protocol", "reset", "no_shared_cipher"]),
    );
  });

  it("count a client whose certificate is refused, and one that has none", async (t) => {
    const { bundle, port, failures } = await setUp(t, { requestCert: true });
    const ca = bundle.root.pem;
    const { leaf } = await (await useTurningBundle(t, "stranger")).turn();
    await hangUpOn(port, { ca, cert: leaf.pem, key: leaf.keyPem });
    await hangUpOn(port, { ca });
    await until("both are counted", async () => (await failures())[0]?.value === 2);
    assert.deepEqual(await failures(), [
      { reason: "client_cert_refused", server_name: "inference.local", value: 2 },
    ]);
  });
});
