/** What a look has seen, as keyturn is told of it: what is served, judged, or why nothing could be seen. */
import type { TLSSocket } from "node:tls";
import { messageOf } from "../core/errors.ts";
import type { Sight, TrustPem } from "../core/handshake.ts";
import { distrustOf, type LookFailure, meaningOf, reasonOf } from "./failure.ts";
import type { BareLook } from "./messages.ts";
import { type Refusal, verdictOf } from "./refusal.ts";
import { problemOf } from "./verdict.ts";

/** A look that came to no end. */
export type FailedSight = Extract<Sight, { readonly kind: "failed" }>;

type Distrust = Extract<Sight, { readonly kind: "served" }>["distrust"];

/** What a session shows once its handshake is done. */
export function sightOf(socket: TLSSocket, asked: BareLook): Sight {
  try {
    // It is given once: on Node 20 and 24 a second call finds nothing.
    const leaf = socket.getPeerX509Certificate();
    if (leaf === undefined) return failed(asked, "protocol", "it presents no certificate");
    return {
      kind: "served",
      fingerprint256: leaf.fingerprint256,
      subject: toRfc4514(leaf.subject),
      serial: leaf.serialNumber,
      notAfter: new Date(leaf.validTo).toISOString(),
      distrust: judges(asked.trust) ? distrustIn(socket) : null,
    };
  } catch (thrown) {
    return failed(asked, "protocol", `its certificate cannot be read: ${messageOf(thrown)}`);
  }
}

/**
 * What is left of a look that the service, or the network, ended.
 *
 * @param presented Whether the service had got our client certificate by then, or that there is none.
 * @param seen What was seen before, where the handshake was done.
 */
export function sightAtEnd(
  asked: BareLook,
  refusal: Refusal,
  presented: boolean,
  seen: Sight | undefined,
): Sight {
  const reason = reasonOf(refusal, presented);
  if (refusal.alert === null && reason === "reset" && presented && asked.client !== null) {
    return failed(
      asked,
      "client_cert_refused",
      "it closed the connection after our certificate, without an alert",
    );
  }
  return refusal.alert === null && seen !== undefined
    ? seen
    : failed(asked, reason, refusal.words || refusal.code);
}

/** A look that failed, in words. */
export function failed({ host, port }: BareLook, reason: LookFailure, seen: string): FailedSight {
  return { kind: "failed", reason, message: `${host}:${port}: ${meaningOf(reason, seen)}` };
}

/** Whether there is anything to judge by: a bundle without trust anchors trusts nothing in particular. */
export function judges(trust: TrustPem | null): trust is TrustPem {
  return trust !== null && trust.anchors !== "";
}

function distrustIn(socket: TLSSocket): Distrust {
  const refusal = verdictOf(socket);
  if (refusal === null) return null;
  const { code, message } = problemOf(refusal, ["client"]);
  return { reason: distrustOf(code), message };
}

/** Node writes a part of a name on each line, in the order of the DER; RFC 4514 §2.1 begins at the end. */
function toRfc4514(lines: string | undefined): string {
  // An empty name has no lines, and Node's types do not say so.
  return (lines ?? "").split("\n").reverse().join(",");
}
