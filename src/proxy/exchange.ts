/** One request and its response, of HTTP/1.1 or of HTTP/2: what both have, and how each is broken off. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2ServerRequest, type Http2ServerResponse, type Http2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";

/** A request that came in, and the response that goes back. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undefined where the client is gone already. */
  readonly client: TLSSocket | undefined;
  /** Undefined for HTTP/1.1. */
  readonly stream: Http2Stream | undefined;
  /** Breaks off a connection of HTTP/1.1. */
  readonly reset: () => void;
}

/** Puts both kinds into one shape: Node's API of HTTP/2 is made like that of HTTP/1.1, as far as it is used here. */
export function exchangeOf(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  resetClient: (client: TLSSocket) => void,
): Exchange {
  const stream = "stream" in request ? request.stream : undefined;
  // That it is over is told by "close" too; without a listener an error would end the process.
  response.on("error", () => undefined);
  // A session forbids most of what sockets can do, on the one that it gives itself.
  const client = (stream === undefined ? request.socket : stream.session?.socket) as TLSSocket | undefined;
  return {
    request: request as IncomingMessage,
    response: response as ServerResponse,
    client,
    stream,
    reset: () => client && resetClient(client),
  };
}

/** Whether a body follows. What no length is known of has to be sent in chunks. */
export function bodyOf({ request, stream }: Exchange): "none" | "measured" | "unmeasured" {
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  if (stream?.endAfterHeaders) return "none";
  if (length === undefined) return stream === undefined && coding === undefined ? "none" : "unmeasured";
  return length === "0" ? "none" : "measured";
}

/** Whether it is over, though "close" has not told so yet: from then on Node throws at what is said on it. */
export function isGone({ response, stream }: Exchange): boolean {
  return stream?.destroyed ?? response.destroyed;
}

/** Whether the client has all of the response, as far as it is known here. */
export function isTaken({ response, stream }: Exchange): boolean {
  if (stream === undefined) return response.writableFinished;
  return !stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR;
}

/** Ends it so that the client cannot take what it has for the whole. */
export function breakOff({ stream, reset }: Exchange): void {
  if (stream === undefined) reset();
  else stream.close(constants.NGHTTP2_INTERNAL_ERROR);
}

/** Answers in the proxy's own name, or breaks off where the target has begun to answer. */
export function refuse(exchange: Exchange, status: number, code: string, message: string): void {
  const { request, response } = exchange;
  if (isGone(exchange)) return;
  if (response.headersSent) {
    breakOff(exchange);
    return;
  }
  const body = `${JSON.stringify({ error: { code, message } })}\n`;
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(request.method === "HEAD" ? undefined : body);
  // The rest of the body is passed over, so that the answer arrives.
  request.resume();
}
