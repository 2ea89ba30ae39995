/** What passes between keyturn and the child process that makes TLS handshakes for it: plain data, both ways. */
import type { Problem } from "./problem.ts";
import type { Secret } from "./secret.ts";

/** A certificate chain with its key, as PEM. */
export interface IdentityPem {
  /** Leaf, then each certificate that issued the one before it. */
  readonly chain: string;
  readonly key: Secret<string>;
}

/** What a peer trusts, as PEM. */
export interface TrustPem {
  /** One after another; empty where the bundle brings none. */
  readonly anchors: string;
  /** Each by itself: TLS libraries read only the first of a concatenation. */
  readonly crls: readonly string[];
}

/** An identity to be proven by a handshake in memory, against the trust it came with. */
export interface Candidate {
  readonly identity: IdentityPem;
  /** Where there are no anchors the last certificate of the chain is trusted in their place. */
  readonly trust: TrustPem;
  /** Who presents it: the server, the client, or both sides of mutual TLS. */
  readonly as: "server" | "client" | "both";
}

/** Proves a candidate. Empty where OpenSSL accepts it; never rejects but with the signal's reason. */
export type Prove = (candidate: Candidate, signal: AbortSignal) => Promise<readonly Problem[]>;

/** Why a handshake with a service failed: label values of `tls_handshake_failure_total{reason}`, bounded. */
export type HandshakeFailure =
  /** It is not the certificate that should be served. */
  | "wrong_cert"
  | "expired_cert"
  /** The chain that is sent does not lead to what the bundle trusts. */
  | "unknown_ca"
  | "revoked_cert"
  /** The service sent an alert about our client certificate. */
  | "client_cert_refused"
  | "no_shared_cipher"
  | "timeout"
  /** Nobody listens. */
  | "refused"
  | "reset"
  /** What answers does not speak TLS, or speaks it wrongly. */
  | "protocol";

/** What a service speaks when a client comes: TLS at once, or PostgreSQL's protocol, in which TLS is asked for. */
export type Protocol = "tls" | "postgres";

/** A look at what a service serves: one fresh TLS session. */
export interface Look {
  readonly host: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** Server name indication (RFC 6066 §3); null for none. */
  readonly serverName: string | null;
  /** Null: what is served is looked at, not judged. */
  readonly trust: TrustPem | null;
  /** What to present where the service asks for a client certificate. */
  readonly client: IdentityPem | null;
  readonly timeoutMs: number;
}

/** What was seen. */
export type Sight =
  | {
      readonly kind: "served";
      /** SHA-256 of the leaf, upper-case hexadecimal with colons. */
      readonly fingerprint256: string;
      readonly subject: string;
      readonly serial: string;
      /** ISO 8601, UTC. */
      readonly notAfter: string;
      /** Why the chain that was sent is not accepted by `trust`; null where it is. */
      readonly distrust: { readonly reason: HandshakeFailure; readonly message: string } | null;
    }
  | { readonly kind: "failed"; readonly reason: HandshakeFailure; readonly message: string };

/** Looks once. Never rejects but with the signal's reason. */
export type LookAt = (look: Look, signal: AbortSignal) => Promise<Sight>;
