/** Rotates a proxy's certificate again and again under load, and says what its clients saw of it. */
import { Agent, get } from "node:https";
import type { TestContext } from "node:test";
import { type HandshakeTarget, shakeHands, startHandshakes } from "./handshakes.ts";
import { until } from "./wait.ts";

/** What clients saw. */
export interface RotationsSeen {
  readonly handshakes: number;
  readonly failures: readonly string[];
  /** Leaves that the load itself got. */
  readonly leaves: number;
}

/**
 * Rotates so many times, with handshakes going on all the time; each rotation begins when the one before is served.
 *
 * @param rotate Gives the fingerprint of the new leaf once it is to be served.
 * @param afterEach Called when it is, as a handshake shows.
 */
export async function rotateUnderLoad(
  target: HandshakeTarget,
  times: number,
  rotate: () => Promise<string>,
  afterEach: () => Promise<void> = async () => undefined,
): Promise<RotationsSeen> {
  const load = startHandshakes(target);
  try {
    for (let turn = 1; turn <= times; turn++) {
      const wanted = await rotate();
      await until(`rotation ${turn} is served`, async () => (await shakeHands(target)) === wanted);
      // Two from each connection: they were at it before and after.
      const enough = load.count() + 8;
      await until("the load goes on", () => load.count() >= enough || load.failures.length > 0);
      await afterEach();
    }
  } finally {
    await load.stop();
  }
  return { handshakes: load.count(), failures: load.failures, leaves: load.seen.size };
}

/** One client that keeps its connection. Gives the number of its own port, which tells connections apart. */
export function useKeptConnection(
  t: TestContext,
  { port, serverName, ca }: HandshakeTarget,
): () => Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return () =>
    new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port, servername: serverName, ca, agent };
      const sent = get(options, (response) => {
        const { localPort = 0 } = response.socket;
        response.resume();
        response.on("end", () => {
          if (response.statusCode === 200) resolve(localPort);
          else reject(new Error(`the service answered ${response.statusCode}`));
        });
      });
      sent.on("error", reject);
    });
}
