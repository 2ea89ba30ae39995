/** Ways to serve a certificate that changes: the one that does not, keyturn's, and those that people write by hand. */
import { readFileSync, readlinkSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { type BundleSource, followBundle } from "../../../src/hot-swap/bundle-source.ts";
import { hotCredentials } from "../../../src/hot-swap/hot-credentials.ts";
import { hotTls } from "../../../src/hot-swap/hot-tls.ts";
import { listenGrpc } from "./grpc.ts";
import { type House, listen, makeServer } from "./http-server.ts";

/** A server that listens. */
export interface Serving {
  readonly port: number;
  /** How often it has taken another certificate, where it knows. */
  readonly swaps?: () => number;
  /** What it does every 100 ms, where nothing tells it. */
  readonly look?: () => unknown;
  /** Takes what is current now. */
  readonly reload?: () => Promise<unknown>;
}

/** Starts to serve the bundle in a folder. */
type Way = (dir: string, house: House) => Promise<Serving>;

interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

type SniCallback = (name: string, done: (error: Error | null, context?: SecureContext) => void) => void;

/** As it is written by hand: one file after the other, whatever is turned between them. */
function readPair(dir: string): Pair {
  return { cert: readFileSync(join(dir, "tls.crt")), key: readFileSync(join(dir, "tls.key")) };
}

const fixed: Way = async (dir, house) => {
  const generation = readlinkSync(join(dir, "current"));
  return { port: await listen(makeServer(house, readPair(dir), () => generation)) };
};

const fixedGrpc: Way = async (dir, { streams }) => {
  const { cert, key } = readPair(dir);
  const credentials = grpc.ServerCredentials.createSsl(null, [{ cert_chain: cert, private_key: key }]);
  return listenGrpc(streams, credentials);
};

const keyturn: Way = async (dir, house) => {
  const { source, swaps } = await followCounted(dir);
  const server = makeServer(house, {}, () => source.current.generation);
  hotTls(server, source);
  return { port: await listen(server), swaps, reload: () => source.reload() };
};

const keyturnGrpc: Way = async (dir, { streams }) => {
  const { source, swaps } = await followCounted(dir);
  const { port } = await listenGrpc(streams, hotCredentials(source).grpcServer(grpc));
  return { port, swaps };
};

async function followCounted(dir: string): Promise<{ readonly source: BundleSource; swaps(): number }> {
  const source = await followBundle(dir);
  let count = 0;
  source.on("swapped", () => {
    count++;
  });
  return { source, swaps: () => count };
}

/** A new context for each connection. */
function contextFrom(pair: () => Pair): SniCallback {
  return (_, done) => {
    try {
      done(null, createSecureContext(pair()));
    } catch (thrown) {
      done(thrown as Error);
    }
  };
}

const readEach: Way = async (dir, house) => {
  const pair = () => readPair(dir);
  const server = makeServer(house, { ...pair(), SNICallback: contextFrom(pair) }, () => "");
  return { port: await listen(server) };
};

const contextEach: Way = async (dir, house) => {
  let pair = readPair(dir);
  const server = makeServer(house, { ...pair, SNICallback: contextFrom(() => pair) }, () => "");
  return {
    port: await listen(server),
    look: () => {
      pair = readPair(dir);
    },
  };
};

const restart: Way = async (dir, house) => {
  let server = makeServer(house, readPair(dir), () => "");
  const port = await listen(server);
  return {
    port,
    look: async () => {
      const next = makeServer(house, readPair(dir), () => "");
      server.close();
      server = next;
      await listen(next, port);
    },
  };
};

/** A mutex around the certificate: whoever wants to know of it waits while the next one is read and made ready. */
const lock: Way = async (dir, house) => {
  let swaps = 0;
  let last: Promise<unknown> = Promise.resolve();
  const exclusively = <T>(work: () => T | Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  let generation = readlinkSync(join(dir, "current"));
  let context = createSecureContext(readPair(dir));
  const take = async () => {
    const now = await readlink(join(dir, "current"));
    const [cert, key] = await Promise.all(
      ["tls.crt", "tls.key"].map((name) => readFile(join(dir, now, name))),
    );
    context = createSecureContext({ cert, key });
    generation = now;
    swaps++;
  };
  const SNICallback: SniCallback = (_, done) => {
    exclusively(() => context).then((made) => done(null, made), done);
  };
  const server = makeServer(house, { ...readPair(dir), SNICallback }, () => exclusively(() => generation));
  return { port: await listen(server), swaps: () => swaps, look: () => exclusively(take) };
};

/** By the name that a server process is told. */
export const WAYS = {
  static: fixed,
  keyturn,
  readEach,
  contextEach,
  restart,
  lock,
  staticGrpc: fixedGrpc,
  keyturnGrpc,
} as const;

export type WayName = keyof typeof WAYS;
