import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { followBundle } from "../../src/hot-swap/bundle-source.ts";
import { hotCredentials } from "../../src/hot-swap/hot-credentials.ts";
import { hotTls } from "../../src/hot-swap/hot-tls.ts";
import { listenGrpc } from "../bench/tls/grpc.ts";
import type { HandshakeApi } from "../bench/tls/handshake-program.ts";
import { listen, makeServer } from "../bench/tls/http-server.ts";
import { KINDS } from "../bench/tls/kept.ts";
import type { Target } from "../bench/tls/target.ts";
import { TokenStreams } from "../bench/tls/token-streams.ts";
import { useTurner } from "../bench/tls/turner.ts";
import { startWorker } from "../bench/tls/worker.ts";

const CLIENTS = 64;
const SWAPS = 30;
const KEPT = 8;
const LOOK_AFTER_MS = 500;

describe("a server that follows its bundle, under load", () => {
  it("fails no handshake and breaks no stream while its certificate changes", async (t) => {
    const turner = await useTurner(t);
    const source = await followBundle(await turner.add("inference"));
    t.after(() => source.close());
    const house = { streams: new TokenStreams(), failures: new Map<string, number>() };
    const server = makeServer(house, {}, () => source.current.generation);
    hotTls(server, source);
    const grpcServer = await listenGrpc(house.streams, hotCredentials(source).grpcServer(grpc));
    const { ca } = turner;
    const target: Target = { port: await listen(server), protocol: "http", ca };
    const grpcTarget: Target = { port: grpcServer.port, protocol: "grpc", ca };
    t.after(() => {
      server.close();
      grpcServer.close();
    });
    const load = startWorker<HandshakeApi>(t, "handshakes");
    const kept = [target, grpcTarget].flatMap((to) => KINDS[to.protocol].map((open) => open(to, KEPT)));
    await Promise.all(kept.map(({ opened }) => opened));
    let swaps = 0;
    source.on("swapped", () => {
      swaps++;
      house.streams.tick();
    });

    const endTurning = turner.keepTurning("inference", 100);
    const failures: string[] = [];
    while (swaps < SWAPS) {
      for (const to of [target, grpcTarget]) {
        const seen = await load.ask("run", to, CLIENTS, 0, LOOK_AFTER_MS);
        assert.ok(seen.count > 0, "no handshake was made");
        failures.push(...seen.failures.keys());
      }
    }
    await endTurning();
    house.streams.finish();
    const broken = await Promise.all(kept.flatMap(({ faults }) => faults()));

    assert.deepEqual(failures, []);
    assert.deepEqual([...house.failures], []);
    assert.equal(broken.length, kept.length * KEPT);
    assert.deepEqual(
      broken.filter((fault) => fault !== undefined),
      [],
    );
  });
});
