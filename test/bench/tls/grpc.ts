/** The streams of tokens by gRPC: one service with one method, from a name to its tokens. */
import {
  Client,
  type ClientReadableStream,
  credentials,
  Server,
  type ServerCredentials,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { SERVER_NAME } from "./target.ts";
import type { TokenStreams } from "./token-streams.ts";

const toBytes = (text: string) => Buffer.from(text);
const toText = (bytes: Buffer) => bytes.toString();

const STREAM = {
  path: "/keyturn.bench.Tokens/Stream",
  requestStream: false,
  responseStream: true,
  requestSerialize: toBytes,
  requestDeserialize: toText,
  responseSerialize: toBytes,
  responseDeserialize: toText,
} as const;

/** A server that listens. */
interface GrpcListening {
  readonly port: number;
  close(): void;
}

/** Serves the streams on a free port of 127.0.0.1. */
export async function listenGrpc(
  streams: TokenStreams,
  serverCredentials: ServerCredentials,
): Promise<GrpcListening> {
  const server = new Server();
  server.addService(
    { stream: STREAM },
    {
      stream: (call: ServerWritableStream<string, string>) => {
        const forget = streams.open(call.request, {
          write: (text) => void call.write(text),
          end: () => call.end(),
        });
        call.once("close", forget);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", serverCredentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, close: () => server.forceShutdown() };
}

/** A client whose channel is its own: it has one connection, for as long as that lasts. */
export function connectGrpc(port: number, ca: string): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createSsl(Buffer.from(ca)), {
    "grpc.ssl_target_name_override": SERVER_NAME,
    "grpc.enable_http_proxy": 0,
    "grpc.use_local_subchannel_pool": 1,
  });
}

/** Opens a stream of tokens. */
export function openStream(client: Client, name: string): ClientReadableStream<string> {
  return client.makeServerStreamRequest(STREAM.path, toBytes, toText, name);
}
