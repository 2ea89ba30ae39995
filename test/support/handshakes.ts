/** TLS handshakes from outside: one, or all the time from several connections. */
import { connect as dial, type Socket } from "node:net";
import { connect } from "node:tls";

/** Whom to connect to, and what to trust. */
export interface HandshakeTarget {
  readonly port: number;
  readonly serverName: string;
  /** PEM: the only authority that is trusted. */
  readonly ca: string;
  /** Whose protocol it speaks before TLS; none, where it is not given. */
  readonly asks?: "postgres";
}

/** Fingerprint of the leaf that a new connection gets; rejects where the handshake fails or the chain is not trusted. */
export async function shakeHands({ port, serverName, ca, asks }: HandshakeTarget): Promise<string> {
  const begun = asks === "postgres" ? { socket: await askForTls(port) } : { host: "127.0.0.1", port };
  return new Promise((resolve, reject) => {
    const socket = connect({ ...begun, servername: serverName, ca }, () => {
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
      socket.end();
      if (fingerprint === undefined) reject(new Error("the server showed no certificate"));
      else resolve(fingerprint);
    });
    socket.setTimeout(20_000, () => socket.destroy(new Error("the handshake did not end in time")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server hung up within the handshake")));
    // Session tickets are read away, so that the end of the connection is seen.
    socket.resume();
  });
}

/** Not what is tested: written a second time, in the plainest way. */
function askForTls(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = dial(port, "127.0.0.1", () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
    socket.on("error", reject);
    socket.once("close", () => reject(new Error("the server hung up before TLS")));
    socket.once("data", (answer) => {
      socket.pause();
      if (answer.toString() === "S") resolve(socket);
      else reject(new Error(`the server has no TLS: ${answer}`));
    });
  });
}

/** Load that runs. */
export interface HandshakeLoad {
  readonly failures: readonly string[];
  /** Handshakes that succeeded. */
  count(): number;
  /** How often each leaf was got, by fingerprint. */
  readonly seen: ReadonlyMap<string, number>;
  /** Ends it after the handshakes under way. */
  stop(): Promise<void>;
}

/** Starts handshakes on several connections at a time, one after another without a pause. */
export function startHandshakes(target: HandshakeTarget, connections = 4): HandshakeLoad {
  const failures: string[] = [];
  const seen = new Map<string, number>();
  let count = 0;
  let isOver = false;
  const work = async () => {
    while (!isOver) {
      try {
        const fingerprint = await shakeHands(target);
        seen.set(fingerprint, (seen.get(fingerprint) ?? 0) + 1);
        count++;
      } catch (thrown) {
        failures.push(String(thrown));
      }
    }
  };
  const workers = Array.from({ length: connections }, work);
  return {
    failures,
    seen,
    count: () => count,
    stop: async () => {
      isOver = true;
      await Promise.all(workers);
    },
  };
}
