/** Real services to be looked at. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer as createPlainServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import type { Look } from "../../src/core/handshake.ts";
import { freePorts } from "../../src/dev/etcd.ts";
import { type BareLook, bareIdentity } from "../../src/handshake/messages.ts";
import { useFolder } from "../support/folder.ts";
import type { Minted } from "../support/mint.ts";

/** A look at a port of this machine: it does not judge and presents nothing, where it is not told to. */
export function lookOf(port: number, more: Partial<Look> = {}): Look {
  const common = { protocol: "tls", serverName: null, trust: null, client: null, timeoutMs: 20_000 } as const;
  return { host: "127.0.0.1", port, ...common, ...more };
}

/** The same as the child gets it. */
export function bareLookOf({ client, ...look }: Look): BareLook {
  return { ...look, client: client === null ? null : bareIdentity(client) };
}

/** What a server of Node takes to serve a chain. */
export function servedBy([leaf, ...issuers]: readonly [Minted, ...Minted[]]) {
  return { cert: [leaf, ...issuers].map(({ pem }) => pem).join(""), key: leaf.keyPem };
}

/** A TLS server of Node; gives its port. */
export function useTls(t: TestContext, options: TlsOptions, host?: string): Promise<number> {
  const server = createServer(options, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.resume();
  });
  server.on("tlsClientError", () => undefined);
  return listening(t, server, host);
}

/** Anything that talks on a connection; gives its port. */
export function useTalker(t: TestContext, talk: (socket: Socket) => void): Promise<number> {
  const server = createPlainServer((socket) => {
    socket.on("error", () => socket.destroy());
    talk(socket);
  });
  return listening(t, server);
}

/** The server of OpenSSL's own program, which verifies clients within the handshake as most services do; gives its port. */
export async function useOpenssl(t: TestContext, leaf: Minted, anchors: string, ...more: readonly string[]) {
  const folder = await useFolder(t);
  const [pem, ca] = [join(folder, "leaf.pem"), join(folder, "ca.pem")];
  await Promise.all([writeFile(pem, leaf.pem + leaf.keyPem), writeFile(ca, anchors)]);
  const [port = 0] = await freePorts(1);
  const argv = [
    "s_server",
    "-accept",
    `127.0.0.1:${port}`,
    "-cert",
    pem,
    "-key",
    pem,
    "-CAfile",
    ca,
    ...more,
  ];
  const child = spawn("openssl", argv, { stdio: ["pipe", "pipe", "ignore"] });
  t.after(() => child.kill("SIGKILL"));
  for await (const chunk of child.stdout) if (String(chunk).includes("ACCEPT")) break;
  return port;
}

async function listening(t: TestContext, server: Server, host = "127.0.0.1"): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
