/** Errors of etcd and of the road to it, converted once: is it a matter of time, or of configuration? */
import {
  EtcdAuthenticationFailedError,
  EtcdPermissionDeniedError,
  GRPCFailedPreconditionError,
  GRPCResourceExhastedError,
  GRPCUnauthenticatedError,
} from "etcd3";
import { KeyturnError, messageOf } from "../core/errors.ts";

/** etcd3 gives these where trying again cannot help until somebody changes a user, a role or the configuration. */
const DENIALS = [EtcdAuthenticationFailedError, EtcdPermissionDeniedError, GRPCFailedPreconditionError];

/** A watch, and a call by nobody, are refused in words only. */
const DENIAL_TEXT = /permission denied|PermissionDenied|user name is empty/;

/** A TLS failure shows only as "unavailable" with OpenSSL's words behind it; a broken PEM file in those words alone. */
const TLS_TEXT = /certificate|self.signed|error:[\dA-F]{8}:|ssl routines|ERR_TLS|ERR_SSL/i;

/**
 * All that is seen of a server that expected TLS, or did not, or that has the client's certificate on its revocation list.
 * A network shows the same, so it stays a matter of time.
 */
const SCHEME_TEXT = /before secure TLS connection|Failed to connect/;
const CONNECT_HINT =
  "check that the endpoint's scheme is right, and that etcd takes the client certificate, if there is one";

/** Node 26 takes no IP address for the name of a TLS server, and grpc-js gives it one. */
const ADDRESS_TEXT = /ServerName to an IP address/;

/** The error as keyturn's own: `ETCD_DENIED` or `ETCD_UNAVAILABLE`, saying which endpoint and what to look at. */
export function toEtcdFailure(thrown: unknown, endpoint: string): KeyturnError {
  if (thrown instanceof KeyturnError) return thrown;
  const text = tidy(messageOf(thrown));
  if (isDenial(thrown, text)) {
    const hint = "check etcd.username, etcd.passwordFile and the role's rights on the prefix";
    return new KeyturnError("ETCD_DENIED", `etcd at ${endpoint} refuses: ${text}; ${hint}`, {
      cause: thrown,
    });
  }
  if (ADDRESS_TEXT.test(text)) {
    const message = `no TLS with etcd at ${endpoint} on this version of Node: put a host name into etcd.endpoints, not an IP address`;
    return new KeyturnError("ETCD_DENIED", message, { cause: thrown });
  }
  if (TLS_TEXT.test(text)) {
    const hint = "check etcd.tls and that the endpoint's scheme is right";
    return new KeyturnError("ETCD_DENIED", `no TLS with etcd at ${endpoint}: ${text}; ${hint}`, {
      cause: thrown,
    });
  }
  const hint = SCHEME_TEXT.test(text) ? `; ${CONNECT_HINT}` : "";
  return new KeyturnError("ETCD_UNAVAILABLE", `no answer from etcd at ${endpoint}: ${text}${hint}`, {
    cause: thrown,
  });
}

/** grpc-js wraps the reason in its own words, a second date, a line end of OpenSSL and an empty note. */
function tidy(message: string): string {
  return message
    .replace(/^\w*Error: /, "")
    .replace(/No connection established\. Last error: (Error: )?/, "")
    .replace(/ ?\(\d{4}-[\d-]+T[\d:.]+Z\)/g, "")
    .replace(/\.? *Resolution note: *$/, "")
    .replace(/\s+/g, " ")
    .trim();
}

function isDenial(thrown: unknown, text: string): boolean {
  if (DENIALS.some((denial) => thrown instanceof denial) || DENIAL_TEXT.test(text)) return true;
  // A token that ran out is cured by the next session, which signs in anew.
  return thrown instanceof GRPCUnauthenticatedError && !text.includes("no longer valid");
}

/** Whether an answer was larger than the receive limit, so that a smaller page may fit. */
export function isTooLargeAnAnswer(thrown: unknown): boolean {
  return thrown instanceof GRPCResourceExhastedError;
}
