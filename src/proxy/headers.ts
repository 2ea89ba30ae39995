/** Which headers go on: those of one connection stay behind, and what only the proxy can know is said by the proxy. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { ClientIdentity } from "./client-identity.ts";

/** What the proxy knows of a request. */
export interface RequestFacts {
  /** `Host` or `:authority`; undefined where an HTTP/1.0 client names none. */
  readonly host: string | undefined;
  readonly clientAddress: string;
  readonly identity: ClientIdentity | undefined;
  /** Whether what the client says of these is believed. */
  readonly trustForwarded: boolean;
}

/** Of one connection only (RFC 9110 §7.6.1), besides those that `Connection` names. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
];
/** What clients may not say of themselves. */
const IDENTITY = "x-forwarded-client-cert";
/** What clients may say only where they are believed. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
const ALSO_FORWARDED = ["x-forwarded-port", "x-forwarded-server", "x-forwarded-prefix", "x-real-ip"];

/** Headers of a request as the target gets them, without those that frame its body. */
export function requestHeaders(headers: IncomingHttpHeaders, facts: RequestFacts): OutgoingHttpHeaders {
  const { host, clientAddress, identity, trustForwarded } = facts;
  const own = new Set([IDENTITY, ...(trustForwarded ? [] : [...FORWARDED, ...ALSO_FORWARDED])]);
  const passed = endToEnd(headers, (name) => own.has(spelledByGateways(name)));
  const said = (name: string) => (trustForwarded ? textOf(headers[name]) : undefined);
  const before = said("x-forwarded-for");
  const forwardedHost = said("x-forwarded-host") ?? host;
  return {
    ...passed,
    // HTTP/1.1 asks for one, HTTP/1.0 does not.
    host: host ?? "localhost",
    ...(asksForTrailers(headers) ? { te: "trailers", connection: "keep-alive, te" } : {}),
    "x-forwarded-for": before === undefined ? clientAddress : `${before}, ${clientAddress}`,
    "x-forwarded-proto": said("x-forwarded-proto") ?? "https",
    ...(forwardedHost === undefined ? {} : { "x-forwarded-host": forwardedHost }),
    ...(identity === undefined ? {} : { [IDENTITY]: writeIdentity(identity) }),
  };
}

/** Headers or trailers of the target as the client gets them. */
export function responseHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return endToEnd(headers, () => false);
}

/** Trailers, of either side: fields that frame or route a message have no place there (RFC 9110 §6.5.1). */
export function trailersOf(trailers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const misplaced = new Set([...FORWARDED, ...ALSO_FORWARDED, IDENTITY]);
  const framing = new Set(["content-length", "host", "trailer", "content-encoding", "content-type"]);
  return endToEnd(trailers, (name) => framing.has(name) || misplaced.has(spelledByGateways(name)));
}

function endToEnd(headers: IncomingHttpHeaders, isOwn: (name: string) => boolean): OutgoingHttpHeaders {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  // What says how long the body is goes with the body, whatever `Connection` names.
  const dropped = new Set([...HOP_BY_HOP, ...named.filter((name) => name !== "content-length")]);
  const passes = (name: string) => !(name.startsWith(":") || dropped.has(name) || isOwn(name));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => passes(name)));
}

/** CGI, and what came after it, reads `x_forwarded_for` as the same name. */
function spelledByGateways(name: string): string {
  return name.replaceAll("_", "-");
}

/** TE is of one connection: what can be said of the next one is that trailers are passed (RFC 9110 §10.1.4). */
function asksForTrailers({ te }: IncomingHttpHeaders): boolean {
  return (textOf(te) ?? "").split(",").some((coding) => coding.trim().toLowerCase() === "trailers");
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.join(", ");
}

/** As Envoy writes it. What would end the quotes, and what is not printable ASCII, is percent-encoded. */
function writeIdentity({ subject, sha256 }: ClientIdentity): string {
  const encoded = subject.replace(/[^ -~]|["%\\]/gu, (letter) =>
    [...Buffer.from(letter)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
  return `Hash=${sha256};Subject="${encoded}"`;
}
