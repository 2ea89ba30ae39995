/**
 * One TLS handshake in memory: a candidate is presented, and OpenSSL on the other side takes it or does not.
 *
 * Runs in the child. Names are not compared: whether the certificate covers those it should is checked elsewhere.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { type Duplex, duplexPair } from "node:stream";
import { connect, type DetailedPeerCertificate, type SecureContext, TLSSocket } from "node:tls";
import type { Candidate } from "../core/handshake.ts";
import type { Problem } from "../core/problem.ts";
import { yieldToOthers } from "../runtime/clock.ts";
import { type Contexts, NO_TRUST, type Trust } from "./contexts.ts";
import type { BareCandidate, BareIdentity } from "./messages.ts";
import { type Refusal, refusalFrom, verdictOf } from "./refusal.ts";
import { problemOf, type Side } from "./verdict.ts";

/** How one side came out: it is through, perhaps with something against the chain of the other; or it gave up. */
interface End {
  readonly through: boolean;
  readonly refusal: Refusal | null;
}

/** Both ends; the side that ended first is at the front. */
type Ends = ReadonlyMap<Side, End>;

/** Which sides verify the chain of the other. */
const JUDGES: Readonly<Record<Candidate["as"], readonly Side[]>> = {
  server: ["client"],
  client: ["server"],
  both: ["client", "server"],
};
/** The server is asked for this name, because only by a name does a context come to a server with all it holds. */
const SERVER_NAME = "candidate.invalid";
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;
const NO_CERTIFICATE: Refusal = {
  code: "UNSPECIFIED",
  words: "peer did not return a certificate",
  alert: null,
};
const OTHER_KEY: Refusal = { code: "UNSPECIFIED", words: "key type mismatch", alert: null };

/** What OpenSSL has against a candidate; empty where it takes it. Never rejects. */
export async function shakeHands(
  { identity, trust, as }: BareCandidate,
  contexts: Contexts,
): Promise<readonly Problem[]> {
  const isServerOnly = as === "server";
  try {
    const partial = trust.anchors === "";
    const anchors = partial ? (identity.chain.match(CERTIFICATE)?.at(-1) ?? "") : trust.anchors;
    const trusted: Trust = { anchors, crls: trust.crls, partial };
    const server = contexts.ofIdentity(identity, isServerOnly ? NO_TRUST : trusted, 2);
    const client = isServerOnly ? contexts.ofTrust(trusted, 2) : server;
    const problems = problemsOf(await meet(server, client, !isServerOnly), JUDGES[as]);
    const isUnexplained = problems.some(({ code }) => code === "HANDSHAKE_FAILED");
    return isUnexplained && !belongTogether(identity) ? [problemOf(OTHER_KEY, [])] : problems;
  } catch (thrown) {
    return [problemOf(refusalFrom(thrown), [])];
  }
}

/** Makes a handshake that cannot succeed, for nobody has a certificate: the first that matters is then no slow one. */
export async function warmUp(contexts: Contexts): Promise<void> {
  const nothing = contexts.ofTrust(NO_TRUST, 2);
  await meet(nothing, nothing, false);
}

/** Lets both sides meet. Whatever is opened is closed: what is left open of a handshake stays in memory. */
function meet(server: SecureContext, client: SecureContext, isMutual: boolean): Promise<Ends> {
  return new Promise((resolve) => {
    const [near, far] = duplexPair();
    const open: Duplex[] = [near, far];
    const ends = new Map<Side, End>();
    const end = (side: Side, through: boolean, refusal: Refusal | null): void => {
      if (!ends.has(side)) ends.set(side, { through, refusal });
      if (ends.size < 2) return;
      resolve(ends);
      // The answer goes out first.
      yieldToOthers().then(() => {
        for (const stream of open) stream.destroy();
      });
    };

    const accepted = new TLSSocket(far, {
      isServer: true,
      secureContext: server,
      requestCert: isMutual,
      rejectUnauthorized: false,
    });
    open.push(accepted);
    accepted.on("secure", () => end("server", true, isMutual ? verdictOfClient(accepted) : null));
    accepted.on("error", (thrown) => end("server", false, refusalFrom(thrown)));

    const socket = connect({
      socket: near,
      secureContext: client,
      servername: SERVER_NAME,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    open.push(socket);
    // Node asks for it before "secureConnect", to compare names; it takes long, and over some curves it ends the process.
    socket.getPeerCertificate = () => ({}) as DetailedPeerCertificate;
    socket.on("secureConnect", () => end("client", true, verdictOf(socket)));
    socket.on("error", (thrown) => end("client", false, refusalFrom(thrown)));
    // The server has nobody to wait for then.
    socket.on("close", () => far.destroy());
  });
}

/** Node says of a client without a certificate what it says of an unknown issuer. */
function verdictOfClient(socket: TLSSocket): Refusal | null {
  return socket.getPeerX509Certificate() === undefined ? NO_CERTIFICATE : verdictOf(socket);
}

/** A key of another type than the certificate's is loaded without a word, and fails in words that explain nothing. */
function belongTogether({ chain, key }: BareIdentity): boolean {
  return new X509Certificate(chain).checkPrivateKey(createPrivateKey(key));
}

function problemsOf(ends: Ends, judges: readonly Side[]): readonly Problem[] {
  const failures = [...ends].filter(([, { through }]) => !through);
  const failed = failures.find(([, { refusal }]) => !isEcho(refusal)) ?? failures[0];
  const verdicts = [...ends].filter(([side, { through }]) => through && judges.includes(side));
  const bySaying = new Map<string, { readonly refusal: Refusal; readonly sides: Side[] }>();
  for (const [side, { refusal }] of failed === undefined ? verdicts : [...verdicts, failed]) {
    if (refusal === null) continue;
    const known = bySaying.get(refusal.words);
    if (known === undefined) bySaying.set(refusal.words, { refusal, sides: [side] });
    else known.sides.push(side);
  }
  return [...bySaying.values()].map(({ refusal, sides }) => problemOf(refusal, sides));
}

/** Whether a side only heard that the other one gave up. */
function isEcho(refusal: Refusal | null): boolean {
  return refusal !== null && (refusal.alert !== null || refusal.code === "ECONNRESET");
}
