/** A real HTTPS service that takes each new certificate of its bundle when it is told to, and counts how often. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHook, type Server } from "node:http";
import { createServer as createTls } from "node:https";
import type { AddressInfo } from "node:net";
import { shakeHands } from "../../support/handshakes.ts";

/** A service that listens. */
export interface Service {
  readonly hookUrl: string;
  readonly tlsAddress: string;
  /** Hooks it was sent. */
  readonly hooks: () => number;
  /** Fingerprint of the leaf that a new session gets, where it is of this authority. */
  served(ca: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts a service that listens on 127.0.0.1; it serves nothing before its first hook. */
export async function startService(serverName: string): Promise<Service> {
  let hooks = 0;
  const tls = createTls({}, (_request, response) => response.end("ok\n"));
  const hook = createHook(async (request, response) => {
    hooks++;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { data } = JSON.parse(Buffer.concat(chunks).toString()) as {
      data: { paths: { combined: string } };
    };
    // One open(): key and certificates are of one generation.
    const pem = readFileSync(data.paths.combined);
    tls.setSecureContext({ key: pem, cert: pem });
    response.writeHead(204).end();
  });
  const [tlsPort, hookPort] = await Promise.all([listen(tls), listen(hook)]);
  return {
    hookUrl: `http://127.0.0.1:${hookPort}/`,
    tlsAddress: `127.0.0.1:${tlsPort}`,
    hooks: () => hooks,
    served: (ca) => shakeHands({ port: tlsPort, serverName, ca }),
    close: async () => {
      await Promise.all([tls, hook].map(close));
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
