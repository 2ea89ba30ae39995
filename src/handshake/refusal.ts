/** Why one side of a handshake does not go on with the other, in OpenSSL's own words. */
import type { TLSSocket } from "node:tls";
import { messageOf, systemCodeOf } from "../core/errors.ts";

/** A refusal, before it is made a problem or a failure. */
export interface Refusal {
  /** Node's name for it, such as `CERT_HAS_EXPIRED` or `ERR_SSL_EE_KEY_TOO_SMALL`; `UNSPECIFIED` for many. */
  readonly code: string;
  /** Such as `certificate has expired`. */
  readonly words: string;
  /** What the other side sent, where it was the one to end it (RFC 8446 §6). */
  readonly alert: number | null;
}

/** The other side went without a word. */
export const CLOSED: Refusal = { code: "ECONNRESET", words: "the connection was closed", alert: null };

/** Longer than anything OpenSSL says. */
const MAX_WORDS = 300;
/** Node 24 and later append advice to some of OpenSSL's words. */
const ADVICE = /; if the root CA is installed locally.*$/s;
/** `error:0A000410:SSL routines:ssl3_read_bytes:REASON:../file.c:918:SSL alert number 40`, the function may be empty. */
const OPENSSL_ERROR = /error:[0-9A-F]{8}:([^:]*):[^:]*:([^:\n]+)/;
const ALERT = /SSL alert number (\d+)/;

/** The refusal in something that was thrown by the TLS library. */
export function refusalFrom(thrown: unknown): Refusal {
  const message = messageOf(thrown);
  const [, library, reason] = OPENSSL_ERROR.exec(message) ?? [];
  const words = reason === undefined ? message.replace(ADVICE, "") : `${reason} (${library})`;
  const alert = ALERT.exec(message)?.[1];
  return {
    code: systemCodeOf(thrown) ?? "UNSPECIFIED",
    words: words.trim().slice(0, MAX_WORDS),
    alert: alert === undefined ? null : Number(alert),
  };
}

/**
 * What OpenSSL has against the chain that the other side sent; null where it verifies.
 *
 * Node keeps only a code of it, which is `UNSPECIFIED` for most of what can be wrong with a chain. The words are where
 * Node itself takes the code from, and that is not documented: should they not be there one day, the code has to do.
 */
export function verdictOf(socket: TLSSocket): Refusal | null {
  const { _handle: handle } = socket as { readonly _handle?: { verifyError?(): Error | null } | null };
  const error = handle?.verifyError?.();
  if (error !== undefined) return error === null ? null : refusalFrom(error);
  if (socket.authorized) return null;
  const code = String(socket.authorizationError);
  return { code, words: code, alert: null };
}
