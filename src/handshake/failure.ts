/** Why a look at a service failed, as one of the reasons there are: told from what the network and OpenSSL say. */
import type { HandshakeFailure } from "../core/handshake.ts";
import type { ProblemCode } from "../core/problem.ts";
import type { Refusal } from "./refusal.ts";

/** What a reason means, for those that are not about the certificate of the service. */
const MEANINGS = {
  refused: "nobody listens there",
  timeout: "it does not answer in time",
  reset: "it closed the connection during the handshake",
  protocol: "what it answers is not TLS as it should be",
  no_shared_cipher: "it has no version of TLS, or no cipher, in common with us",
  client_cert_refused: "it does not take our client certificate, or asks for one and got none",
} as const;

/** Reasons of a look that came to no end. */
export type LookFailure = keyof typeof MEANINGS;

const REASONS: Readonly<Record<string, LookFailure>> = {
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "refused",
  ENETUNREACH: "refused",
  EADDRNOTAVAIL: "refused",
  ENOTFOUND: "refused",
  EAI_AGAIN: "refused",
  ETIMEDOUT: "timeout",
  ECONNRESET: "reset",
  EPIPE: "reset",
};
/** Alerts about our certificate, or that there is none (RFC 8446 §6.2, RFC 5246 §7.2.2). */
const CERTIFICATE_ALERTS: readonly number[] = [41, 42, 43, 44, 45, 46, 48, 49, 51, 116];
/** `handshake_failure`: no cipher in common at first; later, no certificate where TLS 1.2 asks for one. */
const HANDSHAKE_FAILURE = 40;
/** `protocol_version` and `insufficient_security`. */
const NO_COMMON_ALERTS: readonly number[] = [70, 71];
const NO_COMMON = /unsupported protocol|no protocols available|wrong ssl version|dh key too small/;

/**
 * The reason in an error of the socket.
 *
 * @param presented Whether the service had got our client certificate by then, or that there is none.
 */
export function reasonOf({ code, words, alert }: Refusal, presented: boolean): LookFailure {
  if (alert === null) return REASONS[code] ?? (NO_COMMON.test(words) ? "no_shared_cipher" : "protocol");
  if (NO_COMMON_ALERTS.includes(alert)) return "no_shared_cipher";
  if (alert === HANDSHAKE_FAILURE) return presented ? "client_cert_refused" : "no_shared_cipher";
  return CERTIFICATE_ALERTS.includes(alert) ? "client_cert_refused" : "protocol";
}

/** A reason in words, with what was seen of it. */
export function meaningOf(reason: LookFailure, seen: string): string {
  return `${MEANINGS[reason]} (${seen})`;
}

/** The reason for which a chain is not trusted, from the problem it has. */
export function distrustOf(code: ProblemCode): HandshakeFailure {
  if (code === "CERTIFICATE_EXPIRED" || code === "CERTIFICATE_NOT_YET_VALID") return "expired_cert";
  return code === "CERTIFICATE_REVOKED" ? "revoked_cert" : "unknown_ca";
}
