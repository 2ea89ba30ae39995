/** Ways to ask the gRPC example for tokens, under mutual TLS, by a client whose own certificate turns too. */
import { once } from "node:events";
import { connect } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { followBundle } from "../hot-swap/bundle-source.ts";
import { type HotCredentials, hotCredentials } from "../hot-swap/hot-credentials.ts";
import type { CloseStack } from "../runtime/close-stack.ts";
import type { Ask } from "./ask.ts";

/** What to ask. */
export interface GrpcTarget {
  readonly port: number;
  readonly serverName: string;
  /** Of the bundle that says who the client is and whom it trusts. */
  readonly bundleDir: string;
}

const PATH = "/keyturn.example.Inference/Generate";
const TOKENS = 15;
const WORKERS = 2;

/** All ways: a handshake, and streams on connections of their own, on one for each generation, and on one for all time. */
export async function asksByGrpc(target: GrpcTarget, closes: CloseStack): Promise<readonly Ask[]> {
  const source = await followBundle(target.bundleDir);
  closes.push(() => source.close());
  const hot = hotCredentials(source);
  const open = (options: grpc.ClientOptions) =>
    new grpc.Client(`127.0.0.1:${target.port}`, hot.grpcChannel(grpc), {
      "grpc.ssl_target_name_override": target.serverName,
      "grpc.use_local_subchannel_pool": 1,
      ...options,
    });
  const [turning, old] = [open(hot.grpcClientOptions(grpc)), open({})];
  closes.push(() => turning.close());
  closes.push(() => old.close());
  const times = (ask: Ask) => Array.from({ length: WORKERS }, () => ask);
  return [
    ...times({ isStream: false, ask: (seen, signal) => shakeHands(target, hot, seen, signal) }),
    ...times({ isStream: true, ask: (_, signal) => streamOnce(open({}), signal) }),
    ...times({ isStream: true, ask: (_, signal) => streamOn(turning, signal) }),
    ...times({ isStream: true, ask: (_, signal) => streamOn(old, signal) }),
  ];
}

async function shakeHands(
  { port, serverName }: GrpcTarget,
  hot: HotCredentials,
  onFingerprint: (fingerprint256: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const about = { host: "127.0.0.1", port, servername: serverName, ALPNProtocols: ["h2"] };
  const socket = connect({ ...hot.connectOptions(), ...about });
  try {
    // In TLS 1.3 a client learns only by what comes after the handshake that its certificate was taken.
    await once(socket, "data", { signal });
    const certificate = socket.getPeerX509Certificate();
    if (certificate !== undefined) onFingerprint(certificate.fingerprint256);
  } finally {
    socket.destroy();
  }
}

async function streamOnce(client: grpc.Client, signal: AbortSignal): Promise<void> {
  try {
    await streamOn(client, signal);
  } finally {
    client.close();
  }
}

async function streamOn(client: grpc.Client, signal: AbortSignal): Promise<void> {
  const toBytes = (message: object) => Buffer.from(JSON.stringify(message));
  const fromBytes = (bytes: Buffer) => JSON.parse(bytes.toString()) as { readonly id: number };
  const call = client.makeServerStreamRequest(PATH, toBytes, fromBytes, { tokens: TOKENS });
  const cancel = () => call.cancel();
  signal.addEventListener("abort", cancel);
  let next = 0;
  for await (const { id } of call as AsyncIterable<{ readonly id: number }>) {
    if (id !== next) throw new Error(`${PATH} gave token ${id} in place of ${next}`);
    next++;
  }
  signal.removeEventListener("abort", cancel);
  if (next !== TOKENS) throw new Error(`${PATH} ended after ${next} tokens`);
}
