/** A client that presents a certificate, keeps its TLS session, and judges by whether its request is answered. */
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type TLSSocket } from "node:tls";
import { ASK_PATH } from "./grpc-service.ts";
import type { Minted } from "./mint.ts";
import type { MutualServer } from "./mutual-servers.ts";

/** What came of a request. */
export interface Asked {
  readonly isAnswered: boolean;
  readonly isResumed: boolean;
  /** The last session that the server gave. */
  readonly session: Buffer | undefined;
}

/** Who asks, and what it was given before. */
interface Asking {
  readonly client: Minted;
  /** PEM: the authority of the server. */
  readonly ca: string;
  readonly session?: Buffer | undefined;
  /** Bits of `SSL_OP_…`. */
  readonly secureOptions?: number;
}

/**
 * Connects and makes one request. With TLS 1.3 a client hears that it is refused only after its handshake, and with any
 * version it may hear no more of it than that the connection broke: what counts is the answer.
 */
export async function ask({ port, protocol }: MutualServer, asking: Asking): Promise<Asked> {
  const { client, ca, session: kept, secureOptions } = asking;
  let session: Buffer | undefined;
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: "inference.local",
    ca,
    cert: client.pem,
    key: client.keyPem,
    ALPNProtocols: [protocol === "http/1.1" ? protocol : "h2"],
    ...(kept === undefined ? {} : { session: kept }),
    ...(secureOptions === undefined ? {} : { secureOptions }),
  });
  socket.on("session", (given) => {
    session = given;
  });
  socket.setTimeout(20_000, () => socket.destroy(new Error("no answer in time")));
  try {
    await once(socket, "secureConnect");
    const isResumed = socket.isSessionReused();
    const isAnswered = protocol === "http/1.1" ? await askHttp1(socket) : await askHttp2(socket, protocol);
    return { isAnswered, isResumed, session };
  } catch {
    return { isAnswered: false, isResumed: false, session };
  } finally {
    socket.destroy();
  }
}

async function askHttp1(socket: TLSSocket): Promise<boolean> {
  socket.end("GET / HTTP/1.1\r\nHost: inference.local\r\nConnection: close\r\n\r\n");
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer.startsWith("HTTP/1.1 200");
}

async function askHttp2(socket: TLSSocket, protocol: "h2" | "grpc"): Promise<boolean> {
  const session = connectHttp2("https://inference.local", { createConnection: () => socket });
  const broken = once(session, "close").then(() => false);
  session.on("error", () => session.destroy());
  const isAnswered = await Promise.race([protocol === "h2" ? get(session) : call(session), broken]);
  session.destroy();
  return isAnswered;
}

async function get(session: ClientHttp2Session): Promise<boolean> {
  const stream = session.request({ ":path": "/" });
  stream.on("error", () => stream.destroy());
  const [headers] = await once(stream, "response");
  return headers[":status"] === 200;
}

/** One call with an empty message, which is five bytes. */
async function call(session: ClientHttp2Session): Promise<boolean> {
  const stream = session.request({
    ":method": "POST",
    ":path": ASK_PATH,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => stream.destroy());
  stream.end(Buffer.alloc(5));
  stream.resume();
  const [trailers] = await once(stream, "trailers");
  return trailers["grpc-status"] === "0";
}
