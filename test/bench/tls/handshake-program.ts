/** A load of new connections: so many clients, each with one after another. Asked by its parent. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect } from "node:tls";
import { answer } from "./answers.ts";
import { codeOf } from "./codes.ts";
import { connectionOptions, type Target } from "./target.ts";

/** What the clients saw. */
export interface Handshakes {
  /** Of each handshake that ended in the time that counts. */
  readonly latenciesMs: readonly number[];
  /** All that succeeded, at whatever time. */
  readonly count: number;
  /** All that failed, at whatever time, by code. */
  readonly failures: ReadonlyMap<string, number>;
}

/** Whoever was refused comes back after this. */
const AFTER_FAILURE_MS = 10;
const LATE_MS = 30_000;

/** A connection that is made, and ended in good order. @returns Milliseconds until it could be used. */
function shakeHands(options: ConnectionOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    let tookMs: number | undefined;
    const socket = connect(options, () => {
      tookMs = performance.now() - begin;
      socket.end();
    });
    socket.setTimeout(LATE_MS, () => socket.destroy(new Error("late")));
    socket.on("error", reject);
    // The server hangs up after it has taken the client's part of the handshake, and without an error: both have it.
    socket.on("close", () => (tookMs === undefined ? reject(new Error("closed")) : resolve(tookMs)));
    socket.resume();
  });
}

async function run(target: Target, clients: number, warmMs: number, turnMs: number): Promise<Handshakes> {
  const options = connectionOptions(target, target.protocol === "grpc" ? "h2" : "http/1.1");
  const latenciesMs: number[] = [];
  let count = 0;
  const failures = new Map<string, number>();
  const from = performance.now() + warmMs;
  const until = from + turnMs;
  const beClient = async () => {
    while (performance.now() < until) {
      try {
        const tookMs = await shakeHands(options);
        const now = performance.now();
        count++;
        if (now >= from && now < until) latenciesMs.push(tookMs);
      } catch (thrown) {
        const code = codeOf(thrown);
        failures.set(code, (failures.get(code) ?? 0) + 1);
        await sleep(AFTER_FAILURE_MS);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, beClient));
  return { latenciesMs, count, failures };
}

const api = { run };

/** What a load of handshakes answers. */
export type HandshakeApi = typeof api;

answer(api);
