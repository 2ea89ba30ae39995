/** A service under test: takes hooks, reads its files, serves them over TLS, and can end the daemon as it is told. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { TestContext } from "node:test";
import { connect, createServer as createTlsServer } from "node:tls";
import { listenFor } from "../../support/listen.ts";
import type { BundlePems } from "../../support/pki.ts";
import { faultsOfPair } from "./judge.ts";

/** When the service may end the daemon: no file is touched there. */
export const MOMENTS = ["hook arrives", "hook is answered", "handshake begins", "handshake is done"] as const;
export type Moment = (typeof MOMENTS)[number];

/** A service that listens. */
export interface ServiceUnderTest {
  readonly hookUrl: string;
  readonly tlsAddress: string;
  /** What was wrong with the files that a hook named, at the moment it arrived. */
  readonly misled: readonly string[];
  readonly hooks: readonly { readonly reason: string; readonly fingerprint256: string }[];
  /** Calls back once, at the next such moment of a hook with this reason. */
  at(moment: Moment, reason: string, then: () => void): void;
  /** Serves what is in this file, as a service does that is started again; what it refuses it does not take then either. */
  read(combined: string): void;
  /** The leaf that a new connection gets. */
  served(): Promise<string | undefined>;
}

/**
 * Starts it; it is closed when the test is over.
 *
 * @param first What it serves before it is told of anything.
 * @param refused A leaf it does not take.
 */
export async function useServiceUnderTest(
  t: TestContext,
  first: BundlePems,
  refused: string | null,
): Promise<ServiceUnderTest> {
  const misled: string[] = [];
  const hooks: { reason: string; fingerprint256: string }[] = [];
  let armed: { readonly moment: Moment; readonly reason: string; readonly then: () => void } | undefined;
  let lastReason = "";
  const reach = (moment: Moment) => {
    if (armed?.moment !== moment || armed.reason !== lastReason) return;
    armed.then();
    armed = undefined;
  };

  const tls = createTlsServer({ cert: first.chain, key: first.key });
  tls.on("connection", () => reach("handshake begins"));
  tls.on("secureConnection", (socket) => {
    socket.on("error", () => socket.destroy());
    reach("handshake is done");
  });
  const read = (path: string) => {
    const combined = readFileSync(path);
    if (new X509Certificate(combined).fingerprint256 === refused) return;
    tls.setSecureContext({ cert: combined, key: combined });
  };
  const http = createServer(async (request, respond) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { data } = JSON.parse(Buffer.concat(chunks).toString());
    const { fingerprint256 } = data.leaf;
    lastReason = data.reason;
    hooks.push({ reason: data.reason, fingerprint256 });
    reach("hook arrives");
    misled.push(...faultsOfPaths(data.paths, fingerprint256));
    read(data.paths.combined);
    respond.writeHead(fingerprint256 === refused ? 409 : 204).end();
    reach("hook is answered");
  });
  const [tlsPort, hookPort] = [await listenFor(t, tls), await listenFor(t, http)];
  return {
    hookUrl: `http://127.0.0.1:${hookPort}/-/reload`,
    tlsAddress: `127.0.0.1:${tlsPort}`,
    misled,
    hooks,
    at: (moment, reason, then) => {
      armed = { moment, reason, then };
    },
    read,
    served: () => fingerprintOn(tlsPort),
  };
}

function faultsOfPaths(paths: Readonly<Record<string, string>>, fingerprint256: string): string[] {
  try {
    const [cert, key, combined] = ["cert", "key", "combined"].map((name) =>
      readFileSync(paths[name] ?? "", "utf8"),
    );
    const faults = [...faultsOfPair(cert ?? "", key ?? ""), ...faultsOfPair(combined ?? "", combined ?? "")];
    const isIt = new X509Certificate(cert ?? "").fingerprint256 === fingerprint256;
    return isIt ? faults : [...faults, "tls.crt is not the leaf the hook tells of"];
  } catch (thrown) {
    return [String(thrown)];
  }
}

/** A handshake from outside, with a session of its own. */
function fingerprintOn(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    socket.once("secureConnect", () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256);
      socket.destroySoon();
    });
    socket.once("error", () => resolve(undefined));
  });
}
