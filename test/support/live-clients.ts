/** Clients whose connections live while certificates turn: one in the middle of an answer, one that waits between two. */
import { Agent, get, type RequestOptions } from "node:https";
import { systemCodeOf } from "../../src/core/errors.ts";
import { LAST_TOKEN } from "./engine.ts";
import type { HandshakeTarget } from "./handshakes.ts";
import type { Scope } from "./scope.ts";
import { until } from "./wait.ts";

/** What a client saw of a stream that began before the first rotation. */
export interface StreamSeen {
  /** Every token came, in its order, and the last line. */
  readonly isWhole: boolean;
  readonly tokens: number;
}

/** A stream that goes on. */
export interface LiveStream {
  /** Tokens so far. */
  count(): number;
  /** Waits for its end. */
  end(): Promise<StreamSeen>;
}

/** Begins to read `/stream`, and is at it when this resolves. */
export async function useStream(t: Scope, target: HandshakeTarget): Promise<LiveStream> {
  const agent = new Agent({ keepAlive: false });
  t.after(() => agent.destroy());
  let text = "";
  const count = () => text.split("\n").length - 1;
  const ended = new Promise<void>((resolve, reject) => {
    const asked = get({ ...optionsOf(target), path: "/stream", agent }, (response) => {
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      // An answer that was broken off closes without its end.
      response.on("error", () => undefined).on("close", resolve);
    });
    asked.on("error", reject);
  });
  await Promise.race([ended, until("the stream has begun", () => count() > 2)]);
  return {
    count,
    end: async () => {
      await ended;
      const lines = text.split("\n").slice(0, -1);
      const tokens = lines.slice(0, -1);
      const isWhole = lines.at(-1) === LAST_TOKEN && tokens.every((token, index) => token === String(index));
      return { isWhole, tokens: tokens.length };
    },
  };
}

/** A client that keeps its connection between requests, for as long as the service does. */
export interface KeptClient {
  ask(): Promise<void>;
  /** Connections it had so far. */
  connections(): number;
  /** Requests that met a connection as it was closed, and were sent again on another. */
  resent(): number;
}

/** Makes one. A request that fails in another way than that rejects. */
export function useKeptClient(t: Scope, target: HandshakeTarget): KeptClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const ports = new Set<number>();
  let resent = 0;
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const asked = get({ ...optionsOf(target), path: "/", agent }, (response) => {
        ports.add(response.socket.localPort ?? 0);
        response.resume().on("end", () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`the service answered ${response.statusCode}`));
        });
      });
      asked.on("error", (error) => {
        if (!asked.reusedSocket || systemCodeOf(error) !== "ECONNRESET") return reject(error);
        resent++;
        ask().then(resolve, reject);
      });
    });
  return { ask, connections: () => ports.size, resent: () => resent };
}

function optionsOf({ port, serverName, ca }: HandshakeTarget): RequestOptions {
  return { host: "127.0.0.1", port, servername: serverName, headers: { host: serverName }, ca };
}
