/**
 * One look at what a service serves: a TLS session of its own, until the service lets it go on.
 *
 * Runs in the child. Whatever is served is seen first and judged then: what is not trusted is seen too.
 */
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { messageOf } from "../core/errors.ts";
import type { Sight, TrustPem } from "../core/handshake.ts";
import type { Clock } from "../runtime/clock.ts";
import { type Contexts, NO_TRUST } from "./contexts.ts";
import { distrustOf, type LookFailure, meaningOf, reasonOf } from "./failure.ts";
import type { BareLook } from "./messages.ts";
import { type Refusal, refusalFrom, verdictOf } from "./refusal.ts";
import { problemOf } from "./verdict.ts";

/** How long a service may take to refuse our certificate once our side of a TLS 1.3 handshake is done. */
const WORD_WITHIN_MS = 1_000;
/** The label in the key log that comes with TLS 1.2 only, when our certificate is on its way. */
const KEYS_OF_TLS_1_2 = "CLIENT_RANDOM";
const CLOSED: Refusal = { code: "ECONNRESET", words: "the connection was closed", alert: null };

/** Looks. Never rejects. */
export async function look(asked: BareLook, contexts: Contexts, clock: Clock): Promise<Sight> {
  const over = new AbortController();
  let socket: TLSSocket | undefined;
  try {
    socket = open(asked, contexts);
    return await watch(socket, asked, clock, over.signal);
  } catch (thrown) {
    // Nothing was sent yet: OpenSSL would not load our own certificate.
    return failed(asked, "client_cert_refused", `by OpenSSL on our side: ${refusalFrom(thrown).words}`);
  } finally {
    over.abort();
    // With a last word to the service, should it still listen.
    socket?.destroySoon();
  }
}

function open({ host, port, serverName, trust, client }: BareLook, contexts: Contexts): TLSSocket {
  const trusted = judges(trust) ? { ...trust, partial: false } : NO_TRUST;
  // What is only looked at may be as weak as it likes.
  const level = judges(trust) ? 2 : 0;
  return connect({
    host: host.replace(/^\[(.*)\]$/, "$1"),
    port,
    // There are no IP addresses in it (RFC 6066 §3).
    ...(serverName === null || isIP(serverName) !== 0 ? {} : { servername: serverName }),
    secureContext:
      client === null ? contexts.ofTrust(trusted, level) : contexts.ofIdentity(client, trusted, level),
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
}

/** Waits until the service said yes, said no, or said nothing for too long. */
function watch(socket: TLSSocket, asked: BareLook, clock: Clock, signal: AbortSignal): Promise<Sight> {
  return new Promise((resolve) => {
    let seen: Sight | undefined;
    let presented = false;
    const take = (): void => {
      if (seen !== undefined) resolve(seen);
    };
    const end = (refusal: Refusal): void => resolve(sightAtEnd(asked, refusal, presented, seen));
    const after = (ms: number, act: () => void): void => {
      // It rejects when the look is over.
      clock.sleep(ms, signal).then(act, () => undefined);
    };

    socket.on("keylog", (line: Buffer) => {
      presented ||= line.toString("latin1").startsWith(KEYS_OF_TLS_1_2);
    });
    socket.on("secureConnect", () => {
      presented = true;
      seen = sightOf(socket, asked);
      if (socket.getProtocol() !== "TLSv1.3") return take();
      // A service that sends no session ticket answers this at least. Where there is a certificate of ours, its answer
      // could not be told from a refusal without a word.
      if (asked.client === null) socket.end();
      after(WORD_WITHIN_MS, take);
    });
    // A session ticket is sent to those who are let in (RFC 8446 §4.6.1).
    socket.on("session", take);
    socket.on("data", take);
    socket.on("error", (thrown) => end(refusalFrom(thrown)));
    socket.on("close", () => end(CLOSED));
    const nothing = failed(asked, "timeout", `nothing within ${asked.timeoutMs} ms`);
    after(asked.timeoutMs, () => resolve(seen ?? nothing));
  });
}

/** What is left of a look that the service, or the network, ended. */
function sightAtEnd(asked: BareLook, refusal: Refusal, presented: boolean, seen: Sight | undefined): Sight {
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

function sightOf(socket: TLSSocket, asked: BareLook): Sight {
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

function distrustIn(socket: TLSSocket): Extract<Sight, { readonly kind: "served" }>["distrust"] {
  const refusal = verdictOf(socket);
  if (refusal === null) return null;
  const { code, message } = problemOf(refusal, ["client"]);
  return { reason: distrustOf(code), message };
}

/** Whether there is anything to judge by: a bundle without trust anchors trusts nothing in particular. */
function judges(trust: TrustPem | null): trust is TrustPem {
  return trust !== null && trust.anchors !== "";
}

/** Node writes a part of a name on each line, in the order of the DER; RFC 4514 §2.1 begins at the end. */
function toRfc4514(lines: string | undefined): string {
  // An empty name has no lines, and Node's types do not say so.
  return (lines ?? "").split("\n").reverse().join(",");
}

function failed({ host, port }: BareLook, reason: LookFailure, seen: string): Sight {
  return { kind: "failed", reason, message: `${host}:${port}: ${meaningOf(reason, seen)}` };
}
