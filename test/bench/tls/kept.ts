/** Streams and connections that outlive many certificates, and what became of each. */
import { once } from "node:events";
import { connect } from "node:http2";
import { get } from "node:https";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "./codes.ts";
import { connectGrpc, openStream } from "./grpc.ts";
import { KeptConnection } from "./kept-connection.ts";
import { SWAP_EVERY_MS } from "./plan.ts";
import { connectionOptions, type Target } from "./target.ts";
import { faultIn } from "./tokens.ts";

/** Several of one kind. */
export interface Kept {
  /** All of them were there. */
  readonly opened: Promise<unknown>;
  /** What is wrong with each, at its end; undefined where nothing is. */
  faults(): readonly Promise<string | undefined>[];
  use?(isUsed: boolean): void;
}

const STREAMS_OF_A_SESSION = 4;

/** Of each kind that a server of this protocol has. */
export const KINDS = {
  http: [openSseStreams, openHttp2Streams, keepConnections],
  grpc: [openGrpcStreams],
} as const;

/** Server-sent events by HTTP/1.1, each on a connection of its own. */
function openSseStreams(target: Target, count: number): Kept {
  const options = { ...connectionOptions(target, "http/1.1"), agent: false };
  return follow(count, "sse", async (name) => {
    const [response] = await once(get({ ...options, path: `/tokens/${name}` }), "response");
    return response;
  });
}

/** HTTP/2 streams, several on one connection. */
function openHttp2Streams(target: Target, count: number): Kept {
  const options = connectionOptions(target, "h2");
  const sessions = Array.from({ length: Math.ceil(count / STREAMS_OF_A_SESSION) }, () =>
    // Its streams tell of its errors too.
    connect(`https://${options.host}:${target.port}`, options).on("error", () => undefined),
  );
  const kept = follow(count, "h2", async (name, index) => {
    const session = sessions[index % sessions.length];
    if (session === undefined) throw new Error("there is no session");
    const stream = session.request({ ":path": `/tokens/${name}` });
    await once(stream, "response");
    return stream;
  });
  void Promise.all(kept.faults()).then(() => {
    for (const session of sessions) session.close();
  });
  return kept;
}

/** gRPC server streams, all on one connection. */
function openGrpcStreams({ port, ca }: Target, count: number): Kept {
  const client = connectGrpc(port, ca);
  const kept = follow(count, "grpc", async (name) => {
    const stream = openStream(client, name);
    await once(stream, "metadata");
    return stream;
  });
  void Promise.all(kept.faults()).then(() => client.close());
  return kept;
}

/** Follows streams from their opening to their end. */
function follow(count: number, kind: string, open: (name: string, index: number) => Promise<Readable>): Kept {
  const names = Array.from({ length: count }, (_, index) => `${kind}-${index}`);
  const opening = names.map(open);
  const faults = opening.map((stream, index) => faultOf(names[index] ?? kind, stream));
  return { opened: Promise.all(opening), faults: () => faults };
}

async function faultOf(name: string, opening: Promise<Readable>): Promise<string | undefined> {
  let text = "";
  try {
    for await (const chunk of await opening) text += chunk;
  } catch (thrown) {
    return `${name}: ${codeOf(thrown)} after ${text.length} bytes`;
  }
  return faultIn(name, text);
}

/** Connections with a request now and then, while they are used. */
function keepConnections(target: Target, count: number): Kept {
  const opening = Array.from({ length: count }, () => KeptConnection.open(target));
  let [isUsed, isOver] = [true, false];
  const faults = opening.map(async (one, index) => {
    try {
      const connection = await one;
      while (!isOver) {
        if (isUsed) await connection.ask();
        await sleep(SWAP_EVERY_MS);
      }
      connection.close();
      return undefined;
    } catch (thrown) {
      return `connection-${index}: ${codeOf(thrown)}`;
    }
  });
  return {
    opened: Promise.all(opening),
    faults: () => {
      isOver = true;
      return faults;
    },
    use: (wanted) => {
      isUsed = wanted;
    },
  };
}
