/** Ways to ask the inference example something; each checks the certificate against the CA, and every byte of a stream. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { get } from "node:https";
import type { TLSSocket } from "node:tls";
import type { CloseStack } from "../runtime/close-stack.ts";

/** One of them. */
export interface Ask {
  readonly isStream: boolean;
  /**
   * Asks once; rejects where anything is not as it has to be.
   *
   * @param onFingerprint Told of the certificate that a new connection was given.
   */
  readonly ask: (onFingerprint: (fingerprint256: string) => void, signal: AbortSignal) => Promise<void>;
}

/** What to ask. */
export interface Target {
  readonly port: number;
  readonly serverName: string;
  /** PEM: the only authority that is trusted. */
  readonly ca: string;
}

const TOKENS = 15;
const LAST_EVENT = "data: [DONE]\n\n";
const WORKERS = 2;

/** All ways: HTTP/1.1 and HTTP/2, each on connections of their own, and HTTP/2 streams on one connection for all time. */
export function asksOf(target: Target, closes: CloseStack): readonly Ask[] {
  const old = connectTo(target);
  // The streams on it fail with it, and are counted.
  old.on("error", () => undefined);
  closes.push(() => old.close());
  const times = (ask: Ask) => Array.from({ length: WORKERS }, () => ask);
  return [
    ...times({ isStream: false, ask: (seen, signal) => askByHttp1(target, "/", seen, signal) }),
    ...times({ isStream: true, ask: (seen, signal) => askByHttp1(target, STREAM, seen, signal) }),
    ...times({ isStream: true, ask: (seen, signal) => askByHttp2(target, seen, signal) }),
    ...times({ isStream: true, ask: (_, signal) => streamOn(old, target, signal) }),
  ];
}

const STREAM = `/stream?tokens=${TOKENS}`;

/** @throws where the text is not all of what was asked for. */
function check(path: string, status: unknown, text: string): void {
  if (status !== 200) throw new Error(`${path} ended with status ${status}`);
  if (path === "/") return;
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id);
  const isWhole = ids.length === TOKENS && ids.every((id, at) => id === String(at));
  if (!isWhole || !text.endsWith(LAST_EVENT)) throw new Error(`${path} ended after ${ids.length} tokens`);
}

async function askByHttp1(
  { port, serverName, ca }: Target,
  path: string,
  onFingerprint: (fingerprint256: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const options = { host: "127.0.0.1", port, path, servername: serverName, ca, agent: false, signal };
  const sent = get({ ...options, headers: { host: serverName } });
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  tellOf(response.socket as TLSSocket, onFingerprint);
  check(path, response.statusCode, await textOf(response));
}

async function askByHttp2(
  target: Target,
  onFingerprint: (fingerprint256: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const session = connectTo(target);
  try {
    await once(session, "connect", { signal });
    tellOf(session.socket as TLSSocket, onFingerprint);
    await streamOn(session, target, signal);
  } finally {
    session.close();
  }
}

async function streamOn(
  session: ClientHttp2Session,
  { serverName }: Target,
  signal: AbortSignal,
): Promise<void> {
  const stream = session.request({ ":path": STREAM, ":authority": serverName }, { signal });
  let status: unknown;
  stream.on("response", (headers) => {
    status = headers[":status"];
  });
  const text = await textOf(stream);
  check(STREAM, status, text);
}

function connectTo({ port, serverName, ca }: Target): ClientHttp2Session {
  return connect(`https://127.0.0.1:${port}`, { servername: serverName, ca });
}

function tellOf(socket: TLSSocket, onFingerprint: (fingerprint256: string) => void): void {
  const certificate = socket.getPeerX509Certificate();
  if (certificate !== undefined) onFingerprint(certificate.fingerprint256);
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}
