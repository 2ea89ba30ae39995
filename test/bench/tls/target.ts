/** Whom the loads connect to, and how: every one of them checks what it is shown. */
import { type ConnectionOptions, createSecureContext, type SecureContext } from "node:tls";

/** What a server serves: HTTP/1.1 and HTTP/2 on one port, or gRPC. */
export type Protocol = "http" | "grpc";

/** A server. */
export interface Target {
  readonly port: number;
  readonly protocol: Protocol;
  /** PEM: the only authority that is trusted. */
  readonly ca: string;
}

const HOST = "127.0.0.1";
/** The name in every leaf. */
export const SERVER_NAME = "inference.local";

/** Options for any number of connections: they share what is expensive to make. */
export function connectionOptions({ port, ca }: Target, protocol: "http/1.1" | "h2"): ConnectionOptions {
  return {
    host: HOST,
    port,
    servername: SERVER_NAME,
    secureContext: contextOf(ca),
    ALPNProtocols: [protocol],
  };
}

const contexts = new Map<string, SecureContext>();

function contextOf(ca: string): SecureContext {
  const made = contexts.get(ca) ?? createSecureContext({ ca });
  contexts.set(ca, made);
  return made;
}
