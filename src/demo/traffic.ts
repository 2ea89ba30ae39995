/** Load on a sample service: new connections, and streams that last longer than a rotation takes. */
import { get } from "node:https";
import type { TLSSocket } from "node:tls";
import { messageOf } from "../core/errors.ts";
import { systemClock } from "../runtime/clock.ts";

/** What the load saw so far. */
export interface Counts {
  served: number;
  streams: number;
  failed: number;
  /** The first few failures, in words. */
  readonly failures: string[];
}

/** Load that runs. */
export interface Traffic {
  readonly counts: Counts;
  /** Resolves with Unix milliseconds when a new connection was given the certificate with this fingerprint. */
  seen(fingerprint256: string): Promise<number>;
  /** Ends it, after the requests under way. */
  stop(): Promise<void>;
}

/** What to send requests to. */
export interface Target {
  readonly port: number;
  readonly serverName: string;
  /** PEM: the only authority that is trusted. */
  readonly ca: string;
}

const CONNECTION_WORKERS = 3;
const STREAM_WORKERS = 3;
const PAUSE_MS = 15;
const REQUEST_TIMEOUT_MS = 10_000;
const KEPT_FAILURES = 5;

/** Starts the load. Every request makes a connection of its own, and checks the certificate against the CA. */
export function startTraffic(target: Target): Traffic {
  const counts: Counts = { served: 0, streams: 0, failed: 0, failures: [] };
  const stopping = new AbortController();
  let newest = "";
  const waiting = new Map<string, (atMs: number) => void>();
  const onFingerprint = (fingerprint: string): void => {
    newest = fingerprint;
    waiting.get(fingerprint)?.(performance.timeOrigin + performance.now());
    waiting.delete(fingerprint);
  };

  async function work(path: "/" | "/stream"): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await request(target, path, onFingerprint);
        counts.served++;
        if (path === "/stream") counts.streams++;
      } catch (thrown) {
        counts.failed++;
        if (counts.failures.length < KEPT_FAILURES) counts.failures.push(messageOf(thrown));
      }
      await systemClock.sleep(PAUSE_MS, AbortSignal.timeout(REQUEST_TIMEOUT_MS));
    }
  }

  const workers = [
    ...Array.from({ length: CONNECTION_WORKERS }, () => work("/")),
    ...Array.from({ length: STREAM_WORKERS }, () => work("/stream")),
  ];
  return {
    counts,
    seen: (fingerprint) =>
      new Promise((resolve) => {
        if (newest === fingerprint) resolve(performance.timeOrigin + performance.now());
        else waiting.set(fingerprint, resolve);
      }),
    stop: async () => {
      stopping.abort();
      await Promise.all(workers);
    },
  };
}

function request(
  { port, serverName, ca }: Target,
  path: string,
  onFingerprint: (fingerprint256: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, servername: serverName, ca, agent: false };
    const sent = get(
      { ...options, headers: { host: serverName }, timeout: REQUEST_TIMEOUT_MS },
      (response) => {
        const socket = response.socket as TLSSocket;
        const certificate = socket.getPeerX509Certificate();
        if (certificate !== undefined) onFingerprint(certificate.fingerprint256);
        response.resume();
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200 && response.complete) resolve();
          else reject(new Error(`${path} ended with status ${response.statusCode}`));
        });
      },
    );
    sent.on("timeout", () => sent.destroy(new Error(`${path} was not answered in time`)));
    sent.on("error", reject);
  });
}
