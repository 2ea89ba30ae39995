/** What is asked for, as the target is to get it; or refused, because it cannot be passed on as it was meant. */
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { identityOf, isImpostor } from "./client-identity.ts";
import { type Exchange, refuse } from "./exchange.ts";
import type { Forwarding } from "./forwarding.ts";
import { requestHeaders } from "./headers.ts";

/** The head of a request, without what frames its body. */
export interface Head {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
}

/** The head; undefined where the request was refused, and that was counted. */
export function admit(exchange: Exchange, by: Forwarding): Head | undefined {
  const { request, client, stream } = exchange;
  if (client === undefined || client.destroyed) {
    by.metrics.requestEnded("client_gone");
    return undefined;
  }
  if (by.asksForCertificates && isImpostor(client)) {
    refuse(exchange, 403, "CLIENT_CERTIFICATE_REFUSED", "the certificate of the client is not trusted");
    by.metrics.requestEnded("client_refused");
    return undefined;
  }
  const where = whereOf(request);
  const isCoded = stream === undefined && !isPlain(request.headers["transfer-encoding"]);
  const isNameless = where?.host === undefined && request.httpVersion !== "1.0";
  if (where === undefined || isCoded || isNameless) {
    refuse(exchange, 400, "REQUEST_INVALID", "its host, its target or its transfer coding is not known");
    by.metrics.requestEnded("invalid");
    return undefined;
  }
  const headers = requestHeaders(request.headers, {
    host: where.host,
    clientAddress: (client.remoteAddress ?? "unknown").replace(/^::ffff:(?=\d+\.)/, ""),
    identity: by.asksForCertificates ? identityOf(client) : undefined,
    trustForwarded: by.trustForwarded,
  });
  return { method: request.method ?? "GET", path: where.path, headers };
}

/** In chunks at most: another coding would be lost with the header that names it. */
function isPlain(coding: string | undefined): boolean {
  return coding === undefined || coding.toLowerCase() === "chunked";
}

/** The origin form and the authority of what is asked for (RFC 9112 §3.2); undefined for what is neither. */
function whereOf({
  url = "",
  headers,
}: IncomingMessage): { readonly path: string; readonly host: string | undefined } | undefined {
  const authority = headers[":authority"];
  const host = typeof authority === "string" ? authority : headers.host;
  if (url.startsWith("/") || url === "*") return { path: url, host };
  const [, named, rest = ""] = /^https?:\/\/([^/?#]+)([^#]*)$/i.exec(url) ?? [];
  if (named === undefined) return undefined;
  return { path: rest.startsWith("/") ? rest : `/${rest}`, host: named };
}
