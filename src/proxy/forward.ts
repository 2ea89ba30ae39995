/**
 * One request passed on, and its answer passed back, both as they come:
 *
 *  1. send the head, then the body at the pace of the target, then trailers
 *  2. where no answer comes, say so in the proxy's own name
 *  3. answer with what the target says, at the pace of the client
 */
import {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as requestOf,
} from "node:http";
import { messageOf } from "../core/errors.ts";
import { later } from "../runtime/clock.ts";
import { admit, type Head } from "./admit.ts";
import { bodyOf, breakOff, type Exchange, isGone, isTaken, refuse } from "./exchange.ts";
import { type Forwarding, refuseFor } from "./forwarding.ts";
import { responseHeaders, trailersOf } from "./headers.ts";
import type { RequestResult } from "./metrics.ts";

type Body = ReturnType<typeof bodyOf>;

/** A connection that was kept may be closed by the target at that moment: these can be sent once more. */
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/** Passes it on. Never throws. */
export function forward(exchange: Exchange, by: Forwarding): void {
  const head = admit(exchange, by);
  if (head !== undefined) send(exchange, head, by);
}

function send(exchange: Exchange, head: Head, by: Forwarding): void {
  const { request, response } = exchange;
  const body = bodyOf(exchange);
  const outgoing = begin(exchange, head, body, by);
  if (outgoing === undefined) return;
  let stopWaiting: () => void = () => undefined;
  let isLate = false;
  let isOver = false;
  /** Once: what is destroyed fails too. */
  const settle = () => {
    if (isOver) return false;
    isOver = true;
    stopWaiting();
    response.off("close", onGone);
    return true;
  };
  const onGone = () => {
    if (settle()) by.metrics.requestEnded("client_gone");
    outgoing.destroy();
  };
  response.once("close", onGone);
  outgoing.once("finish", () => {
    if (by.responseTimeoutMs === 0 || isOver) return;
    stopWaiting = later(by.responseTimeoutMs, () => {
      isLate = true;
      outgoing.destroy(new Error(`no answer within ${by.responseTimeoutMs} ms`));
    });
  });
  const fail = (error: Error) => {
    request.unpipe(outgoing);
    // The target may close what it has answered before it has read the whole: the rest is passed over.
    request.resume();
    if (!settle()) return;
    // 2
    const isStale = outgoing.reusedSocket && !isLate && body === "none";
    if (isStale && SAFE_METHODS.includes(head.method)) return send(exchange, head, by);
    const fault = isLate ? "target_timeout" : by.target.faultOf(error, outgoing.socket);
    refuseFor(fault, error.message, exchange, by);
    by.metrics.requestEnded(fault);
  };
  outgoing.on("error", fail);
  // Nobody asked for it. Node would close the connection, and tell nobody.
  outgoing.once("upgrade", (_, socket) => {
    socket.destroy();
    fail(new Error("it wants to speak another protocol"));
  });
  outgoing.once("continue", () => {
    if (!isGone(exchange)) response.writeContinue();
  });
  outgoing.once("response", (incoming) => {
    if (settle()) answer(exchange, outgoing, incoming, by);
    else incoming.destroy();
  });
  // 1
  if (body === "none") return void outgoing.end();
  outgoing.flushHeaders();
  // Before the pipe, which ends the request at the same event.
  request.once("end", () => outgoing.addTrailers(trailersOf(request.trailers)));
  request.pipe(outgoing);
}

function begin(
  exchange: Exchange,
  { method, path, headers }: Head,
  body: Body,
  { agent, metrics }: Forwarding,
): ClientRequest | undefined {
  try {
    return requestOf({ agent, method, path, headers: framed(headers, body), setHost: false });
  } catch (thrown) {
    // What a client may say, and Node does not.
    refuse(exchange, 400, "REQUEST_INVALID", messageOf(thrown));
    metrics.requestEnded("invalid");
    return undefined;
  }
}

/** With what frames the body. Never left to Node: of a GET it would send one without any frame. */
function framed({ trailer, ...headers }: OutgoingHttpHeaders, body: Body): OutgoingHttpHeaders {
  if (body !== "unmeasured") return headers;
  return { ...headers, "transfer-encoding": "chunked", ...(trailer === undefined ? {} : { trailer }) };
}

/** 3 */
export function answer(
  exchange: Exchange,
  outgoing: ClientRequest,
  incoming: IncomingMessage,
  by: Forwarding,
): void {
  const { request, response } = exchange;
  const end = (result: RequestResult) => by.metrics.requestEnded(result);
  if (isGone(exchange)) {
    incoming.destroy();
    end("client_gone");
    return;
  }
  try {
    writeHead(exchange, incoming, by.isClosing());
  } catch (thrown) {
    incoming.destroy();
    refuseFor("target_broken", messageOf(thrown), exchange, by);
    end("target_broken");
    return;
  }
  response.flushHeaders();
  let ended: RequestResult | undefined;
  incoming.once("end", () => response.addTrailers(trailersOf(incoming.trailers)));
  incoming.on("error", (error) => {
    if (ended !== undefined) return;
    ended = "target_broken";
    by.onFault("target_broken", error.message);
    breakOff(exchange);
  });
  response.once("close", () => {
    ended ??= incoming.complete && isTaken(exchange) ? "answered" : "client_gone";
    // Nobody reads on, or what the client still sends is about nothing any more: the target is to notice.
    const isSent = bodyOf(exchange) === "none" || request.readableEnded;
    if (!incoming.complete || !isSent) outgoing.destroy();
    end(ended);
  });
  incoming.pipe(response);
}

function writeHead(
  { request, response, stream }: Exchange,
  incoming: IncomingMessage,
  isClosing: boolean,
): void {
  const { trailer, ...headers } = responseHeaders(incoming.headers);
  const status = incoming.statusCode ?? 502;
  if (stream !== undefined) {
    response.writeHead(status, trailer === undefined ? headers : { ...headers, trailer });
    return;
  }
  // Announced trailers need chunks: Node insists on that.
  const isChunked =
    incoming.headers["transfer-encoding"] !== undefined &&
    request.method !== "HEAD" &&
    request.httpVersion !== "1.0";
  response.writeHead(status, incoming.statusMessage, {
    ...headers,
    ...(trailer !== undefined && isChunked ? { trailer } : {}),
    ...(isClosing ? { connection: "close" } : {}),
  });
}
