/** A server that follows a bundle, as one new client sees it. */
import { type ConnectionOptions, connect } from "node:tls";

/** What a client sees of a server in one new session. */
export interface Seen {
  readonly fingerprint256: string | undefined;
  readonly protocol: string | null;
}

/** Makes a handshake; rejects where it fails, or the chain is not trusted. */
export function see(port: number, options: ConnectionOptions): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, servername: "inference.local", ...options }, () => {
      const fingerprint256 = socket.getPeerX509Certificate()?.fingerprint256;
      resolve({ fingerprint256, protocol: socket.getProtocol() });
      socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server hung up within the handshake")));
    socket.resume();
  });
}
