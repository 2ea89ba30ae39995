/** What one look says of a service: whether it serves what it should, and if not, what it does instead. Pure. */
import type { LeafSummary } from "../core/bundle.ts";
import type { HandshakeFailure, Protocol, Sight } from "../core/handshake.ts";

/**
 * A judged look. `differs`: another certificate is served, and telling the service again may help. `distrusted`: the
 * right one, with a chain that the trust of the bundle does not accept. `unseen`: there was no session to see one in.
 */
export type Verdict =
  | { readonly kind: "matches"; readonly message: string }
  | {
      readonly kind: "differs" | "distrusted" | "unseen";
      readonly reason: HandshakeFailure;
      /** Names the service and the address. */
      readonly message: string;
      /** Fingerprint of what was served; null where nothing was seen. */
      readonly fingerprint256: string | null;
    };

/** A look that did not see what it should. */
export type Mismatch = Exclude<Verdict, { readonly kind: "matches" }>;

/** Who was looked at. */
export interface Place {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  /** What it was taken to speak. */
  readonly protocol?: Protocol | undefined;
  /** The bundle whose certificate was presented. */
  readonly clientBundle?: string | undefined;
}

const MAX_SUBJECT_CHARS = 200;
const DIED = "it may have died over the new files: see its log";

/** Judges what was seen against the leaf that should be served. */
export function judge(sight: Sight, leaf: LeafSummary, place: Place, now: Date): Verdict {
  const { service } = place;
  if (sight.kind === "failed") {
    const { reason, message } = sight;
    // It says where.
    const text = `${service} cannot be looked at (${reason}): ${message}`;
    return { kind: "unseen", reason, message: text, fingerprint256: null };
  }
  const { fingerprint256, distrust } = sight;
  const serves = `${service} serves ${describe(sight, now)} on ${addressOf(place)}`;
  if (fingerprint256 !== leaf.fingerprint256) {
    const reason = isPast(sight.notAfter, now) ? "expired_cert" : "wrong_cert";
    return { kind: "differs", reason, message: `${serves}, not ${describe(leaf, now)}`, fingerprint256 };
  }
  if (distrust === null) return { kind: "matches", message: serves };
  const { reason } = distrust;
  const message = `${serves}, and what it sends with it is not accepted (${reason}): ${distrust.message}`;
  return { kind: "distrusted", reason, message, fingerprint256 };
}

/** What a person can do about it. */
export function adviceOn(verdict: Mismatch, { clientBundle, protocol }: Place): string {
  if (verdict.kind === "differs")
    return "see that it reads its files again when it is told, and the right ones";
  switch (verdict.reason) {
    case "unknown_ca":
      return "see that it sends its intermediates, as tls.crt and tls.pem have them, and that ca.crt has their root";
    case "client_cert_refused":
      return clientBundle === undefined
        ? "it asks for a client certificate: name its bundle in verify.tls.clientBundle"
        : `see that it trusts the issuer of the bundle ${clientBundle}`;
    case "no_shared_cipher":
      return "see which protocol versions and ciphers it allows";
    case "protocol":
      return "see that verify.tls.address is where it speaks TLS";
    case "timeout":
      return "it may hang: see its log";
    case "refused":
      return DIED;
    case "reset":
      return protocol === "postgres" ? DIED : `${DIED}; PostgreSQL needs verify.tls.protocol: postgres`;
    case "wrong_cert":
    case "expired_cert":
    case "revoked_cert":
      return "put another certificate";
  }
}

function describe(
  { subject, serial, notAfter }: Pick<LeafSummary, "subject" | "serial" | "notAfter">,
  now: Date,
): string {
  // Whatever a stranger serves, it is one line.
  const name =
    subject.replace(/\p{Cc}+/gu, ", ").slice(0, MAX_SUBJECT_CHARS) || "a certificate without subject";
  return `${name} (serial ${serial}, ${isPast(notAfter, now) ? "expired at" : "valid until"} ${notAfter})`;
}

/** RFC 5280 §4.1.2.5: valid through notAfter, inclusive. */
function isPast(notAfter: string, now: Date): boolean {
  return Date.parse(notAfter) < now.getTime();
}

function addressOf({ host, port }: Place): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
