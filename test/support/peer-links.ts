/** The links from other members of a cluster to one of them, each of which can be shut by who dialled it. */
import { once } from "node:events";
import { createServer, connect as dial, type Socket } from "node:net";
import type { Scope } from "./scope.ts";

/** A door in front of a member's peer port. Members are told by their ids in decimal; `*` is all of them. */
export interface PeerLinks {
  readonly port: number;
  /** Cuts the links of this member, and lets none of it in. */
  shut(from: string): void;
  open(from: string): void;
}

/** Every request of one member to another says in this header who asks. */
const SENDER = /x-server-from: ([0-9a-f]+)/i;

/** Opens the door to `targetPort`; it is closed when the test is over. */
export async function usePeerLinks(t: Scope, targetPort: number): Promise<PeerLinks> {
  const shut = new Set<string>();
  const links = new Map<Socket, string>();
  const isShut = (sender: string) => shut.has("*") || shut.has(sender);
  const server = createServer((client) => {
    const upstream = dial(targetPort, "127.0.0.1");
    links.set(client, "");
    client.on("error", () => undefined);
    upstream.on("error", () => undefined);
    client.once("close", () => {
      links.delete(client);
      upstream.destroy();
    });
    upstream.once("close", () => client.destroy());
    client.on("data", (chunk: Buffer) => {
      const sender = senderOf(chunk) ?? links.get(client) ?? "";
      links.set(client, sender);
      if (isShut(sender)) client.destroy();
      else upstream.write(chunk);
    });
    upstream.pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const client of links.keys()) client.destroy();
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    shut: (from) => {
      shut.add(from);
      for (const [client, sender] of links) if (isShut(sender)) client.destroy();
    },
    open: (from) => void shut.delete(from),
  };
}

function senderOf(chunk: Buffer): string | undefined {
  const [, id] = SENDER.exec(chunk.toString("latin1")) ?? [];
  return id === undefined ? undefined : BigInt(`0x${id}`).toString();
}
