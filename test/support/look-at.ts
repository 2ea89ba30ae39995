/** Looks at TLS servers from within the test's own process; the daemon does it in a child. */
import { connect, type TLSSocket } from "node:tls";
import { systemCodeOf } from "../../src/core/errors.ts";
import type { HandshakeFailure, Look, LookAt, Sight } from "../../src/core/handshake.ts";

const REASONS: Readonly<Record<string, HandshakeFailure>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  CERT_HAS_EXPIRED: "expired_cert",
  CERT_REVOKED: "revoked_cert",
};

/** One fresh session. */
export const lookAt: LookAt = (look, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({
      host: look.host,
      port: look.port,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ca: look.trust?.anchors ?? [],
      ...(look.serverName === null ? {} : { servername: look.serverName }),
      ...(look.trust === null || look.trust.crls.length === 0 ? {} : { crl: [...look.trust.crls] }),
      ...(look.client === null ? {} : { cert: look.client.chain, key: look.client.key.reveal() }),
    });
    const deadline = AbortSignal.timeout(look.timeoutMs);
    const end = () => {
      signal.removeEventListener("abort", abort);
      deadline.removeEventListener("abort", giveUp);
    };
    const abort = () => {
      end();
      socket.destroy();
      reject(signal.reason);
    };
    const see = (sight: Sight) => {
      end();
      // What is left of the handshake still goes out.
      if (sight.kind === "served") socket.destroySoon();
      else socket.destroy();
      resolve(sight);
    };
    const fail = (reason: HandshakeFailure, why: string) =>
      see({ kind: "failed", reason, message: `${look.host}:${look.port}: ${why}` });
    const giveUp = () => fail("timeout", `no handshake within ${look.timeoutMs} ms`);
    signal.addEventListener("abort", abort);
    deadline.addEventListener("abort", giveUp);
    socket.on("error", (error) => fail(REASONS[systemCodeOf(error) ?? ""] ?? "protocol", error.message));
    socket.on("secureConnect", () => see(sightOf(socket, look)));
  });

function sightOf(socket: TLSSocket, { trust }: Look): Sight {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) throw new Error("no certificate was served");
  const { fingerprint256, subject, serialNumber: serial } = leaf;
  const notAfter = new Date(leaf.validTo).toISOString();
  const message = String(socket.authorizationError);
  const distrust =
    trust === null || socket.authorized ? null : { reason: REASONS[message] ?? "unknown_ca", message };
  return { kind: "served", fingerprint256, subject, serial, notAfter, distrust };
}
