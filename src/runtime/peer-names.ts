/** Gives Node's TLS clients the names in a server's certificate without decoding the rest of its chain. */
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";

/**
 * Node asks a client's socket for the whole chain, decoded, once it verifies, and compares names with what it gets.
 * Decoding ends the process where there is a curve without a NIST name anywhere in the chain (24.21, 26.10), so the
 * socket answers with the names alone. To be called before the handshake is over.
 *
 * @param socket One socket; or `TLSSocket.prototype`, for every socket of the process that is not told otherwise.
 */
export function giveNamesOnly(socket: TLSSocket): void {
  socket.getPeerCertificate = function (this: TLSSocket) {
    const certificate = this.getPeerX509Certificate();
    // Some versions give it once: whoever asks after this gets the same.
    this.getPeerX509Certificate = () => certificate;
    // An empty name has no lines, and Node's types do not say so. A line end within a name is escaped.
    const subject = (certificate?.subject as string | undefined) ?? "";
    const CN = [...subject.matchAll(/^CN=(.*)$/gm)].map(([, name = ""]) => name);
    const names = { subject: { CN }, subjectaltname: certificate?.subjectAltName };
    return names as unknown as DetailedPeerCertificate;
  };
}
