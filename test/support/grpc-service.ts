/** A gRPC service of two methods, whose messages are bytes: one answers, one streams for as long as a test likes. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { until } from "./wait.ts";

const asBytes = {
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
};
const definition = {
  ask: { path: "/test.Inference/Ask", requestStream: false, responseStream: false, ...asBytes },
  tell: { path: "/test.Inference/Tell", requestStream: false, responseStream: true, ...asBytes },
} satisfies grpc.ServiceDefinition;

/** The path of the method that answers with an empty message. */
export const ASK_PATH = definition.ask.path;

/** A server that listens on 127.0.0.1. */
export interface GrpcService {
  readonly port: number;
  /** Fingerprints of the clients of all calls to `Ask`; empty for one without a certificate. */
  readonly asked: readonly string[];
  /** Calls of `Tell` that are open. */
  streamCount(): number;
  /** Streams that are open send on. */
  tell(bytes: Buffer): Promise<void>;
  /** Streams that are open end. */
  hangUp(): void;
}

/** Starts a server that is gone when the test is over. */
export async function useGrpcService(
  t: TestContext,
  credentials: grpc.ServerCredentials,
): Promise<GrpcService> {
  const asked: string[] = [];
  const streams = new Set<grpc.ServerWritableStream<Buffer, Buffer>>();
  const server = new grpc.Server();
  server.addService(definition, {
    ask: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      asked.push(call.getAuthContext().sslPeerCertificate?.fingerprint256 ?? "");
      done(null, Buffer.alloc(0));
    },
    tell: (call: grpc.ServerWritableStream<Buffer, Buffer>) => void streams.add(call),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  t.after(() => server.forceShutdown());
  return {
    port,
    asked,
    streamCount: () => streams.size,
    tell: async (bytes) => {
      for (const stream of streams) if (!stream.write(bytes)) await once(stream, "drain");
    },
    hangUp: () => {
      for (const stream of streams) stream.end();
      streams.clear();
    },
  };
}

/** A stream that is read as it comes. */
export interface Reading {
  /** Bytes so far. */
  bytes(): number;
  /** SHA-256 of all of it, hexadecimal; rejects where the call did not end well. */
  readonly whole: Promise<string>;
}

/** A client of that service. */
export interface GrpcClient {
  /** Rejects where the call fails. */
  ask(): Promise<void>;
  /** Begins a stream. */
  listen(): Reading;
  close(): void;
}

/** Makes a client of a server whose bundle is `inference`; it is closed when the test is over. */
export function useGrpcClient(
  t: TestContext,
  port: number,
  credentials: grpc.ChannelCredentials,
  options: grpc.ClientOptions = {},
): GrpcClient {
  const Client = grpc.makeGenericClientConstructor(definition, "Inference");
  // Without a name gRPC would ask for the address as one, which TLS does not know, and Node 26 refuses.
  const named = { ...options, "grpc.ssl_target_name_override": "inference.local" };
  const client = new Client(`127.0.0.1:${port}`, credentials, named);
  t.after(() => client.close());
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          ASK_PATH,
          asBytes.requestSerialize,
          asBytes.responseDeserialize,
          Buffer.alloc(0),
          (error) => (error ? reject(error) : resolve()),
        );
      }),
    listen: () => {
      const hash = createHash("sha256");
      let bytes = 0;
      const call = client.makeServerStreamRequest(
        definition.tell.path,
        asBytes.requestSerialize,
        asBytes.responseDeserialize,
        Buffer.alloc(0),
      );
      const whole = new Promise<string>((resolve, reject) => {
        call.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          hash.update(chunk);
        });
        call.on("error", reject);
        call.on("end", () => resolve(hash.digest("hex")));
      });
      // Waited for later.
      whole.catch(() => undefined);
      return { bytes: () => bytes, whole };
    },
    close: () => client.close(),
  };
}

/** Waits until a stream has this many bytes. */
export async function untilRead(reading: Reading, bytes: number): Promise<void> {
  await until(`${bytes} bytes of the stream are there`, () => reading.bytes() >= bytes);
}
