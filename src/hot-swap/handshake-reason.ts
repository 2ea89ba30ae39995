/** Why a client's handshake with a server of ours failed, as one of a few words: a label value has to be bounded. */
import type { TLSSocket } from "node:tls";
import { systemCodeOf } from "../core/errors.ts";
import type { HandshakeFailure } from "../core/handshake.ts";

/** By OpenSSL's and Node's codes; the first that fits. An alert is what the client said of what we serve. */
const REASONS: readonly (readonly [RegExp, HandshakeFailure])[] = [
  [/ALERT_UNKNOWN_CA$/, "unknown_ca"],
  [/ALERT_CERTIFICATE_EXPIRED$/, "expired_cert"],
  [/ALERT_CERTIFICATE_REVOKED$/, "revoked_cert"],
  [/ALERT_(BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE)$/, "wrong_cert"],
  [/NO_SHARED_CIPHER|NO_SUITABLE|ALERT_HANDSHAKE_FAILURE|NO_SHARED_GROUP/, "no_shared_cipher"],
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, "timeout"],
  [/^(ECONNRESET|EPIPE|ERR_SOCKET_CLOSED)$/, "reset"],
  [/DID_NOT_RETURN_A_CERTIFICATE|CERTIFICATE_VERIFY_FAILED/, "client_cert_refused"],
];

/** The reason of an error that `tlsClientError` told of, and its socket. */
export function handshakeReason(
  error: unknown,
  { authorizationError }: Partial<TLSSocket>,
): HandshakeFailure {
  // Node hangs up on a client whose certificate it refuses, and calls that a reset.
  if (authorizationError) return "client_cert_refused";
  const code = systemCodeOf(error) ?? "";
  return REASONS.find(([pattern]) => pattern.test(code))?.[1] ?? "protocol";
}
