/** Servers of each kind that ask their clients for certificates and follow a bundle. */
import { once } from "node:events";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { createServer, type SecureVersion, type Server, type TLSSocket } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import type { BundleSource } from "../../src/hot-swap/bundle-source.ts";
import type { ContextOptions } from "../../src/hot-swap/context-options.ts";
import { hotCredentials } from "../../src/hot-swap/hot-credentials.ts";
import { hotTls } from "../../src/hot-swap/hot-tls.ts";
import { serverNames } from "../../src/hot-swap/server-names.ts";
import { useGrpcService } from "./grpc-service.ts";

/** A server that listens on 127.0.0.1. */
export interface MutualServer {
  readonly port: number;
  /** How it is spoken to: `http/1.1` also by the plain `tls` server, which answers in its words. */
  readonly protocol: "http/1.1" | "h2" | "grpc";
  /** Fingerprints of the clients it let through, one for each request or connection. */
  readonly passed: readonly string[];
}

/** What is followed, and how. */
interface Following extends ContextOptions {
  readonly source: BundleSource;
  readonly version: SecureVersion;
}

type Start = (t: TestContext, following: Following) => Promise<MutualServer>;

const ASKED = { requestCert: true, rejectUnauthorized: true };

/** By kind. */
export const MUTUAL_SERVERS = {
  tls: (t, following) => {
    const server = createServer(ASKED, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
    });
    return start(t, following, server, "http/1.1");
  },
  https: (t, following) => start(t, following, httpsServer(), "http/1.1"),
  http2: (t, following) => {
    const server = createSecureServer(ASKED, (_, response) => response.end("ok"));
    return start(t, following, server, "h2");
  },
  grpc: async (t, { source, ...options }) => {
    const hot = hotCredentials(source, contextOptions(options));
    const { port, asked } = await useGrpcService(t, hot.grpcServer(grpc, { requireClientCertificate: true }));
    return { port, protocol: "grpc", passed: asked };
  },
  "https, by name": (t, following) => {
    const names = serverNames([following.source], contextOptions(following));
    t.after(() => names.close());
    return start(t, following, httpsServer({ SNICallback: names.SNICallback }), "http/1.1", names);
  },
  "tls, which keeps sessions itself": (t, following) => {
    const server = createServer(ASKED, (socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
    });
    const sessions = new Map<string, Buffer>();
    server.on("newSession", (id: Buffer, session: Buffer, done: () => void) => {
      sessions.set(id.toString("hex"), session);
      done();
    });
    server.on("resumeSession", (id: Buffer, done: (error: null, session: Buffer | null) => void) =>
      done(null, sessions.get(id.toString("hex")) ?? null),
    );
    return start(t, following, server, "http/1.1");
  },
} satisfies Record<string, Start>;

export type ServerKind = keyof typeof MUTUAL_SERVERS;

function httpsServer(options: Pick<Parameters<typeof createServer>[0] & object, "SNICallback"> = {}): Server {
  return createHttpsServer({ ...ASKED, ...options }, (_, response) => response.end("ok"));
}

async function start(
  t: TestContext,
  following: Following,
  server: Server,
  protocol: MutualServer["protocol"],
  of: Parameters<typeof hotTls>[1] = following.source,
): Promise<MutualServer> {
  const passed: string[] = [];
  const sockets = new Set<TLSSocket>();
  server.on("secureConnection", (socket: TLSSocket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    if (socket.authorized) passed.push(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
  });
  hotTls(server, of, contextOptions(following));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, protocol, passed };
}

function contextOptions({ version, trust }: Pick<Following, "version" | "trust">): ContextOptions {
  return { trust, tls: { minVersion: version, maxVersion: version } };
}
