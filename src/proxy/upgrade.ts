/** WebSocket (RFC 6455): an upgrade is passed on, and after it the bytes. Every other upgrade is passed over. */
import { type IncomingMessage, request as requestOf, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { later } from "../runtime/clock.ts";
import { admit } from "./admit.ts";
import { bodyOf, type Exchange, exchangeOf, refuse } from "./exchange.ts";
import { answer, forward } from "./forward.ts";
import { type Forwarding, refuseFor } from "./forwarding.ts";
import { responseHeaders } from "./headers.ts";
import { passBetween } from "./pass-bytes.ts";

/** A request with which a client wants to speak something else. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly client: TLSSocket;
  /** What came behind the request already. */
  readonly head: Buffer;
}

/** Passes it on. Never throws. */
export function passUpgrade(upgrade: Upgrade, reset: (client: TLSSocket) => void, by: Forwarding): void {
  const { request, client } = upgrade;
  // Node lets go of a connection with this: it can bring one response, and ends with it.
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  try {
    response.assignSocket(client);
  } catch {
    // An earlier request is not answered yet: nobody may ask for an upgrade behind it and mean it.
    reset(client);
    return;
  }
  response.once("finish", () => {
    response.detachSocket(client);
    if (response.statusCode !== 101) client.end();
  });
  const exchange = exchangeOf(request, response, reset);
  if (bodyOf(exchange) !== "none") {
    refuse(exchange, 501, "UPGRADE_UNKNOWN", "a request with a body cannot be upgraded here");
    by.metrics.requestEnded("invalid");
  } else if (request.headers.upgrade?.toLowerCase() === "websocket") passWebSocket(exchange, upgrade, by);
  else forward(exchange, by);
}

function passWebSocket(exchange: Exchange, { client, head: early }: Upgrade, by: Forwarding): void {
  const { response, reset } = exchange;
  const head = admit(exchange, by);
  if (head === undefined) return;
  const headers = { ...head.headers, connection: "Upgrade", upgrade: "websocket" };
  const socket = by.target.dial(true);
  const outgoing = requestOf({ ...head, headers, setHost: false, createConnection: () => socket });
  let isLate = false;
  const stopWaiting =
    by.responseTimeoutMs === 0
      ? () => undefined
      : later(by.responseTimeoutMs, () => {
          isLate = true;
          outgoing.destroy(new Error(`no answer within ${by.responseTimeoutMs} ms`));
        });
  const onGone = () => {
    stopWaiting();
    outgoing.destroy();
  };
  client.once("close", onGone);
  const settle = () => {
    stopWaiting();
    client.off("close", onGone);
  };
  outgoing.once("error", (error) => {
    settle();
    if (client.destroyed) return by.metrics.requestEnded("client_gone");
    const fault = isLate ? "target_timeout" : by.target.faultOf(error, socket);
    refuseFor(fault, error.message, exchange, by);
    by.metrics.requestEnded(fault);
  });
  outgoing.once("response", (incoming) => {
    settle();
    answer(exchange, outgoing, incoming, by);
  });
  outgoing.once("upgrade", (incoming, target, late) => {
    settle();
    const passed = { ...responseHeaders(incoming.headers), connection: "Upgrade", upgrade: "websocket" };
    response.writeHead(101, incoming.statusMessage, passed);
    response.end();
    client.unshift(early);
    target.unshift(late);
    by.metrics.requestEnded("answered");
    void passBetween(client, socket, reset);
  });
  outgoing.end();
}
