/** A connection to PostgreSQL, up to the point where TLS begins on it. */
import { connect, type Socket } from "node:net";

/** SSLRequest: its length, and 1234 and 5679 where the version of the protocol would be (PostgreSQL, "Message Formats"). */
const SSL_REQUEST = Buffer.from("0000000804d2162f", "hex");
const YES = "S";
const NO = "N";

/**
 * Connects, and asks for TLS. Nothing that came behind the answer is used: it was not protected (CVE-2021-23222).
 *
 * Rejects with the error of the socket, ECONNRESET where it was closed without an answer; with words where the answer is
 * not yes; and with the signal's reason. The connection is closed then.
 */
export function askPostgresForTls(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    const end = (): void => {
      signal.removeEventListener("abort", abort);
      socket.off("close", close);
    };
    const fail = (reason: unknown): void => {
      end();
      socket.destroy();
      reject(reason);
    };
    const abort = (): void => fail(signal.reason);
    const close = (): void =>
      fail(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" }));
    signal.addEventListener("abort", abort);
    socket.once("connect", () => socket.write(SSL_REQUEST));
    // Not once: it stays for what comes before TLS has taken the connection over.
    socket.on("error", fail);
    socket.once("close", close);
    socket.once("data", (answer: Buffer) => {
      socket.pause();
      const text = answer.toString("latin1");
      if (text !== YES) return fail(new Error(meaningOf(text)));
      end();
      resolve(socket);
    });
  });
}

function meaningOf(answer: string): string {
  return answer === NO
    ? "PostgreSQL answers that it has no TLS: set ssl = on"
    : "it does not answer an SSLRequest as PostgreSQL does";
}
