/** What the log of a proxy says. Messages are stable: what differs is in the fields. */

import type { TLSSocket } from "node:tls";
import type { Logger } from "pino";
import type { KeyturnError } from "../core/errors.ts";
import type { BundleSource } from "../hot-swap/bundle-source.ts";
import type { BundleVersion } from "../hot-swap/bundle-version.ts";
import { handshakeReason } from "../hot-swap/handshake-reason.ts";
import { systemClock } from "../runtime/clock.ts";
import { nowAndThen } from "../runtime/now-and-then.ts";
import { type Address, shownAddress } from "./settings.ts";
import type { TargetFault } from "./target.ts";

/** What is said. */
export interface ProxyLog {
  follow(sources: readonly BundleSource[]): void;
  running(facts: RunningFacts): void;
  handshakeFailed(error: Error, socket: TLSSocket): void;
  targetFault(fault: TargetFault, why: string): void;
  draining(connections: number): void;
  stopped(cut: number): void;
}

/** What is said of a proxy that runs. */
interface RunningFacts {
  readonly address: Address;
  readonly mode: string;
  readonly metrics: string | undefined;
  readonly hook: string | undefined;
  readonly source: BundleSource;
}

/** What clients or the target can bring about as often as they like is said once in so long. */
const SAID_EVERY_MS = 10_000;

/** Says it. */
export function logProxy(log: Logger, target: string): ProxyLog {
  const faultHappens = nowAndThen(SAID_EVERY_MS, systemClock);
  const handshakeFails = nowAndThen(SAID_EVERY_MS, systemClock);
  return {
    follow: (sources) => {
      for (const source of sources) {
        source.on("swapped", (version, tookMs) => {
          log.info({ ...factsOf(version), ms: Math.round(tookMs * 10) / 10 }, "certificate was swapped");
        });
        source.on("refused", ({ code, message }: KeyturnError) =>
          log.error({ bundle: source.name, code, why: message }, "bundle is refused, what is served stays"),
        );
      }
    },
    running: ({ address, mode, metrics, hook, source }) =>
      log.info(
        { listen: shownAddress(address), to: target, mode, metrics, hook, ...factsOf(source.current) },
        "proxy is running",
      ),
    handshakeFailed: (error, socket) => {
      const times = handshakeFails();
      if (times === null) return;
      log.info({ reason: handshakeReason(error, socket), times }, "handshake of a client failed");
    },
    targetFault: (fault, why) => {
      const times = faultHappens();
      if (times === null) return;
      log.warn({ target, fault, why, times }, "the service behind does not take what is passed on");
    },
    draining: (connections) => log.info({ connections }, "proxy is stopping"),
    stopped: (cut) => log.info({ cut }, "proxy has stopped"),
  };
}

function factsOf({ bundle, generation, digest, leaf }: BundleVersion): object {
  return { bundle, generation, digest, notAfter: leaf?.notAfter };
}
