import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, it, type TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { hotCredentials } from "../../src/hot-swap/hot-credentials.ts";
import { type GrpcService, untilRead, useGrpcClient, useGrpcService } from "../support/grpc-service.ts";
import { mintAuthority } from "../support/mint.ts";
import { useTcpProxy } from "../support/tcp-proxy.ts";
import { useSource, useTurningBundle } from "../support/turning-bundle.ts";
import { until } from "../support/wait.ts";

/** A server and a client that each follow a bundle of their own, by mutual TLS. */
async function setUp(t: TestContext) {
  const [serverBundle, clientBundle] = [await useTurningBundle(t), await useTurningBundle(t, "client")];
  const turns = {
    server: () => serverBundle.turn({ anchors: [clientBundle.root] }),
    client: () => clientBundle.turn({ anchors: [serverBundle.root] }),
  };
  await turns.server();
  const first = await turns.client();
  const serverSource = await useSource(t, serverBundle.dir);
  const clientSource = await useSource(t, clientBundle.dir);
  const credentials = hotCredentials(serverSource).grpcServer(grpc, { requireClientCertificate: true });
  const service = await useGrpcService(t, credentials);
  // Counts connections, and breaks them.
  const network = await useTcpProxy(t, service.port);
  return {
    service,
    network,
    hot: hotCredentials(clientSource),
    first: first.fingerprint256,
    turnServer: async () => {
      await turns.server();
      await serverSource.reload();
    },
    turnClient: async () => {
      const { fingerprint256 } = await turns.client();
      await clientSource.reload();
      return fingerprint256;
    },
  };
}

/** Sends a stream's next bytes, and adds them to what it should be. */
async function tell(service: GrpcService, whole: Buffer[]): Promise<void> {
  const bytes = randomBytes(20_000);
  whole.push(bytes);
  await service.tell(bytes);
}

describe("gRPC over bundles that turn on both sides", () => {
  it("finishes a stream byte for byte that spans the turns, and makes new calls with what is new", async (t) => {
    const { service, network, hot, first, turnServer, turnClient } = await setUp(t);
    const client = useGrpcClient(t, network.port, hot.grpcChannel(grpc), hot.grpcClientOptions(grpc));
    await client.ask();
    const reading = client.listen();
    await until("the stream is open", () => service.streamCount() === 1);
    const sent: Buffer[] = [];
    const expected = [first];

    for (let turn = 0; turn < 5; turn++) {
      await tell(service, sent);
      await untilRead(reading, Buffer.concat(sent).length);
      await turnServer();
      expected.push(await turnClient());
      await client.ask();
      await tell(service, sent);
    }
    service.hangUp();

    assert.equal(await reading.whole, createHash("sha256").update(Buffer.concat(sent)).digest("hex"));
    assert.deepEqual(service.asked, expected);
    await until("one connection is left", () => network.open === 1);
  });

  it("fails no call, however many are made while both turn", async (t) => {
    const { service, network, hot, turnServer, turnClient } = await setUp(t);
    const client = useGrpcClient(t, network.port, hot.grpcChannel(grpc), hot.grpcClientOptions(grpc));
    let isOver = false;
    let calls = 0;
    const work = async () => {
      while (!isOver) {
        await client.ask();
        calls++;
      }
    };
    const working = Promise.all([work(), work(), work(), work()]);

    for (let turn = 0; turn < 20; turn++) {
      const before = calls;
      await Promise.all([turnServer(), turnClient()]);
      await Promise.race([until("calls were made", () => calls > before + 4), working]);
    }
    isOver = true;
    await working;

    assert.equal(service.asked.length, calls);
    assert.equal(new Set(service.asked).size > 10, true, "calls were made with most of the certificates");
  });

  it("without the client's options leaves its connection be, and makes the next one with what is new", async (t) => {
    const { service, network, hot, first, turnClient } = await setUp(t);
    const client = useGrpcClient(t, network.port, hot.grpcChannel(grpc));
    await client.ask();

    const second = await turnClient();
    await client.ask();
    network.cut();
    await until("it is connected again", () =>
      client.ask().then(
        () => true,
        () => false,
      ),
    );

    assert.deepEqual(service.asked, [first, first, second]);
  });

  it("takes credentials for each call too", async (t) => {
    const { service, network, hot, first, turnClient } = await setUp(t);
    let made = 0;
    const perCall = grpc.credentials.createFromMetadataGenerator((_, done) => {
      made++;
      done(null, new grpc.Metadata());
    });
    const credentials = grpc.credentials.combineChannelCredentials(hot.grpcChannel(grpc), perCall);
    const client = useGrpcClient(t, network.port, credentials, hot.grpcClientOptions(grpc));
    await client.ask();

    const second = await turnClient();
    await client.ask();

    assert.deepEqual([service.asked, made], [[first, second], 2]);
  });

  it("finishes a call too that was about to begin", async (t) => {
    const { service, network, hot, first, turnClient } = await setUp(t);
    const held: (() => void)[] = [];
    const perCall = grpc.credentials.createFromMetadataGenerator((_, done) => {
      held.push(() => done(null, new grpc.Metadata()));
    });
    const credentials = grpc.credentials.combineChannelCredentials(hot.grpcChannel(grpc), perCall);
    const client = useGrpcClient(t, network.port, credentials, hot.grpcClientOptions(grpc));
    const call = client.ask();
    await until("it is about to begin", () => held.length === 1);

    await turnClient();
    held[0]?.();
    await call;

    assert.deepEqual(service.asked, [first]);
    await until("its connection is gone", () => network.open <= 1);
  });

  it("follows until its credentials are closed", async (t) => {
    const { service, network, hot, first, turnClient } = await setUp(t);
    const client = useGrpcClient(t, network.port, hot.grpcChannel(grpc), hot.grpcClientOptions(grpc));
    await client.ask();

    hot.close();
    await turnClient();
    await client.ask();

    assert.deepEqual(service.asked, [first, first]);
  });

  it("closes all of a client's connections with the client", async (t) => {
    const { service, network, hot, turnClient } = await setUp(t);
    const client = useGrpcClient(t, network.port, hot.grpcChannel(grpc), hot.grpcClientOptions(grpc));
    const reading = client.listen();
    await until("the stream is open", () => service.streamCount() === 1);
    await turnClient();
    await client.ask();
    await until("there are two connections", () => network.open === 2);

    client.close();
    service.hangUp();

    await reading.whole;
    await until("none is left", () => network.open === 0);
    await turnClient();
    await assert.rejects(client.ask());
  });

  it("asks no client for a certificate unless it is told to", async (t) => {
    const bundle = await useTurningBundle(t);
    await bundle.turn();
    const source = await useSource(t, bundle.dir);
    const service = await useGrpcService(t, hotCredentials(source).grpcServer(grpc));
    const client = useGrpcClient(t, service.port, grpc.credentials.createSsl(Buffer.from(bundle.root.pem)));

    await client.ask();

    assert.deepEqual(service.asked, [""]);
  });

  it("refuses a generation without a leaf in the server, which goes on with the one before", async (t) => {
    const bundle = await useTurningBundle(t);
    const { fingerprint256 } = await bundle.turn();
    const source = await useSource(t, bundle.dir);
    const hot = hotCredentials(source);
    const service = await useGrpcService(t, hot.grpcServer(grpc, { requireClientCertificate: true }));
    const before = hot.connectOptions().secureContext;

    await bundle.turn({ hasLeaf: false, anchors: [mintAuthority("Others")] });
    await assert.rejects(source.reload(), { code: "GENERATION_REFUSED" });

    assert.equal(hot.connectOptions().secureContext, before, "all users take it, or none");
    await useGrpcClient(t, service.port, hot.grpcChannel(grpc)).ask();
    assert.deepEqual(service.asked, [fingerprint256]);
  });
});
