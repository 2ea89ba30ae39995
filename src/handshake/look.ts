/**
 * One look at what a service serves: a TLS session of its own, until the service lets it go on.
 *
 * Runs in the child. Whatever is served is seen first and judged then: what is not trusted is seen too.
 */
import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { Sight } from "../core/handshake.ts";
import type { Clock } from "../runtime/clock.ts";
import { type Contexts, NO_TRUST } from "./contexts.ts";
import type { BareLook } from "./messages.ts";
import { askPostgresForTls } from "./postgres.ts";
import { CLOSED, type Refusal, refusalFrom } from "./refusal.ts";
import { type FailedSight, failed, judges, sightAtEnd, sightOf } from "./sight.ts";

/** How long a service may take to refuse our certificate once our side of a TLS 1.3 handshake is done. */
const WORD_WITHIN_MS = 1_000;
/** The label in the key log that comes with TLS 1.2 only, when our certificate is on its way. */
const KEYS_OF_TLS_1_2 = "CLIENT_RANDOM";

/** When a look is over. */
interface Limits {
  /** Resolves when the service had its time. */
  readonly late: Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Looks. Never rejects. */
export async function look(asked: BareLook, contexts: Contexts, clock: Clock): Promise<Sight> {
  const over = new AbortController();
  // It rejects when the look is over, and nobody waits for it then.
  const late = clock.sleep(asked.timeoutMs, over.signal).catch(() => undefined);
  const limits = { late, clock, signal: over.signal };
  let socket: TLSSocket | undefined;
  try {
    const begun = await begin(asked, limits);
    if (begun.kind === "failed") return begun;
    socket = open(asked, begun.socket, contexts);
    return await watch(socket, asked, limits);
  } catch (thrown) {
    // Nothing was sent yet: OpenSSL would not load our own certificate.
    return failed(asked, "client_cert_refused", `by OpenSSL on our side: ${refusalFrom(thrown).words}`);
  } finally {
    over.abort();
    // With a last word to the service, should it still listen.
    socket?.destroySoon();
  }
}

/** What is to be done before TLS; it gives the connection on which that was done. */
function begin(
  asked: BareLook,
  { late, signal }: Limits,
): Promise<FailedSight | { readonly kind: "begun"; readonly socket: Socket | null }> {
  if (asked.protocol === "tls") return Promise.resolve({ kind: "begun", socket: null });
  const answered = askPostgresForTls(bareHost(asked.host), asked.port, signal).then(
    (socket) => ({ kind: "begun", socket }) as const,
    (thrown) => sightAtEnd(asked, refusalFrom(thrown), false, undefined) as FailedSight,
  );
  return Promise.race([answered, late.then(() => nothingSaid(asked))]);
}

function open(
  { host, port, serverName, trust, client }: BareLook,
  begun: Socket | null,
  contexts: Contexts,
): TLSSocket {
  const trusted = judges(trust) ? { ...trust, partial: false } : NO_TRUST;
  // What is only looked at may be as weak as it likes.
  const level = judges(trust) ? 2 : 0;
  return connect({
    ...(begun === null ? { host: bareHost(host), port } : { socket: begun }),
    // There are no IP addresses in it (RFC 6066 §3).
    ...(serverName === null || isIP(serverName) !== 0 ? {} : { servername: serverName }),
    secureContext:
      client === null ? contexts.ofTrust(trusted, level) : contexts.ofIdentity(client, trusted, level),
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
}

/** Waits until the service said yes, said no, or said nothing for too long. */
function watch(socket: TLSSocket, asked: BareLook, { late, clock, signal }: Limits): Promise<Sight> {
  return new Promise((resolve) => {
    let seen: Sight | undefined;
    let presented = false;
    const take = (): void => {
      if (seen !== undefined) resolve(seen);
    };
    const end = (refusal: Refusal): void => resolve(sightAtEnd(asked, refusal, presented, seen));

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
      // It rejects when the look is over.
      clock.sleep(WORD_WITHIN_MS, signal).then(take, () => undefined);
    });
    // A session ticket is sent to those who are let in (RFC 8446 §4.6.1).
    socket.on("session", take);
    socket.on("data", take);
    socket.on("error", (thrown) => end(refusalFrom(thrown)));
    socket.on("close", () => end(CLOSED));
    void late.then(() => resolve(seen ?? nothingSaid(asked)));
  });
}

function nothingSaid(asked: BareLook): FailedSight {
  return failed(asked, "timeout", `nothing within ${asked.timeoutMs} ms`);
}

/** Without the brackets of an IPv6 address. */
function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
