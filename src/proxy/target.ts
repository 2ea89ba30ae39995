/** Connects to the service behind the proxy, in bounded time, and counts the bytes of each connection. */
import { connect, type Socket } from "node:net";
import { systemCodeOf } from "../core/errors.ts";
import { later } from "../runtime/clock.ts";
import type { ProxyMetrics } from "./metrics.ts";
import { shownTarget, type Target } from "./settings.ts";

/** The service behind. */
export interface TargetService {
  /** For texts. */
  readonly name: string;
  /**
   * Begins a connection; it ends with an error where it does not come about in time.
   *
   * @param allowHalfOpen Whether each direction ends by itself.
   */
  dial(allowHalfOpen: boolean): Socket;
  /** What an error of a connection means, or one before there was any. */
  faultOf(error: unknown, socket: Socket | null): TargetFault;
  /** Whether it takes a connection now. */
  accepts(): Promise<boolean>;
}

/** Why nothing comes of a connection: the result of a metric and, in capitals, the code of an answer. */
export type TargetFault = "target_refused" | "target_timeout" | "target_broken";

const TIMEOUT = "TARGET_TIMEOUT";
/** A peer that is gone without a word is noticed after about this and nine probes. */
const KEEP_ALIVE_MS = 30_000;

/** Knows the service. */
export function createTarget(to: Target, withinMs: number, metrics: ProxyMetrics): TargetService {
  const name = shownTarget(to);
  const reached = new WeakSet<Socket>();
  const dial = (allowHalfOpen: boolean) => {
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    const where = "socketPath" in to ? { path: to.socketPath } : { host: to.host, port: to.port };
    const socket = connect({ ...where, ...keepAlive, noDelay: true, allowHalfOpen });
    const cancel = later(withinMs, () => {
      const error = new Error(`${name} did not take a connection within ${withinMs} ms`);
      socket.destroy(Object.assign(error, { code: TIMEOUT }));
    });
    socket.once("close", cancel).once("connect", () => {
      cancel();
      reached.add(socket);
      metrics.follow(socket);
    });
    return socket;
  };
  return {
    name,
    dial,
    faultOf: (error, socket) => {
      const code = systemCodeOf(error);
      if (code === TIMEOUT || code === "ETIMEDOUT") return "target_timeout";
      return socket !== null && reached.has(socket) ? "target_broken" : "target_refused";
    },
    accepts: () =>
      new Promise((resolve) => {
        const socket = dial(false);
        const answer = (does: boolean) => {
          resolve(does);
          socket.destroy();
        };
        socket.once("connect", () => answer(true)).once("error", () => answer(false));
      }),
  };
}
