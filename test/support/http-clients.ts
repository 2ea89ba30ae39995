/** The same request by HTTP/1.1 and by HTTP/2, over TLS. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { Agent, request as requestHttps } from "node:https";
import type { Readable, Writable } from "node:stream";
import type { TestContext } from "node:test";

/** Whom to ask. */
export interface HttpPeer {
  readonly port: number;
  /** PEM: the authority that is trusted. */
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What to ask for. */
interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the head says that no body follows: of HTTP/2, where that is not said by the headers. */
  readonly isWhole?: boolean;
}

/** An exchange that has begun. */
export interface Begun {
  /** The body of the request; has to be ended. */
  readonly body: Writable;
  readonly answered: Promise<Answered>;
  /** Breaks it off. */
  abort(): void;
  /** Sent after the body. Before it is ended. */
  trailers(trailers: Readonly<Record<string, string>>): void;
}

/** The head of an answer, and its body as it comes. */
interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  /** Once the body has ended. */
  trailers(): IncomingHttpHeaders;
}

/** A client that keeps its connection. */
export interface HttpClient {
  begin(asked: Asked): Begun;
  /** Closes its connections. */
  close(): void;
  /** Asks, and reads the whole answer. */
  ask(asked: Asked, body?: string): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>;
}

export type HttpVersion = "HTTP/1.1" | "HTTP/2";

/** A client that is closed when the test is over. */
export function useHttpClient(t: TestContext, version: HttpVersion, peer: HttpPeer): HttpClient {
  const { begin, close } = version === "HTTP/2" ? http2Client(peer) : http1Client(peer);
  t.after(close);
  return {
    begin,
    close,
    ask: async (asked, body) => {
      const begun = begin({ ...asked, isWhole: body === undefined });
      begun.body.end(body);
      const { status, headers, body: answer } = await begun.answered;
      let text = "";
      for await (const chunk of answer) text += chunk;
      return { status, headers, text };
    },
  };
}

function http1Client({ port, ...tls }: HttpPeer): Pick<HttpClient, "begin" | "close"> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, servername: "inference.local", ...tls });
  const begin: HttpClient["begin"] = ({ method = "GET", path = "/", headers = {} }) => {
    const request = requestHttps({ host: "127.0.0.1", port, agent, method, path, headers });
    request.on("error", () => undefined);
    return {
      body: request,
      answered: new Promise((resolve, reject) => {
        request.once("error", reject).once("response", (message) => resolve(answeredBy(message)));
      }),
      abort: () => void request.destroy(),
      trailers: (trailers) => request.addTrailers(trailers),
    };
  };
  return { begin, close: () => agent.destroy() };
}

function answeredBy(message: IncomingMessage): Answered {
  const { statusCode: status = 0, headers } = message;
  return { status, headers, body: message, trailers: () => message.trailers };
}

function http2Client({ port, ...tls }: HttpPeer): Pick<HttpClient, "begin" | "close"> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { servername: "inference.local", ...tls });
  session.on("error", () => undefined);
  const begin: HttpClient["begin"] = ({ method = "GET", path = "/", headers = {}, isWhole = false }) => {
    let trailers: Readonly<Record<string, string>> | undefined;
    const stream = session.request(
      { ":method": method, ":path": path, ":authority": "inference.local", ...headers },
      { endStream: isWhole, waitForTrailers: !isWhole },
    );
    stream.on("error", () => undefined);
    stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
    return {
      body: stream,
      answered: answerOf(stream),
      abort: () => stream.close(8),
      trailers: (given) => {
        trailers = given;
      },
    };
  };
  return { begin, close: () => session.destroy() };
}

function answerOf(stream: ClientHttp2Stream): Promise<Answered> {
  let trailers: IncomingHttpHeaders = {};
  stream.on("trailers", (got) => {
    trailers = got;
  });
  return new Promise((resolve, reject) => {
    stream.once("error", reject).once("response", (headers) => {
      const status = Number(headers[":status"]);
      resolve({ status, headers, body: stream, trailers: () => trailers });
    });
    stream.once("close", () => reject(new Error("the stream was closed without an answer")));
  });
}
