/** A link to etcd that stops where PEM passes on its way there: what happens meanwhile comes between reading and writing. */
import { once } from "node:events";
import { createServer, connect as dial, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A gate that is open to everything but PEM. */
export interface PutGate {
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  /** Resolves when PEM arrives and is held. */
  readonly arrived: Promise<void>;
  /** Lets what is held, and all that follows, pass. */
  open(): void;
  /** The same, and nothing that etcd answers to it comes back. */
  openOneWay(): void;
  /** Cuts every link; new ones are forwarded as they are. */
  cut(): void;
}

const PEM = "-----BEGIN";

/** Opens one to an etcd that is closed when the test is over. */
export async function usePutGate(t: TestContext, target: string): Promise<PutGate> {
  const { hostname, port: targetPort } = new URL(target);
  const links = new Set<Link>();
  let isShut = true;
  let arrive: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const server = createServer((client) => {
    const upstream = dial(Number(targetPort), hostname);
    const link: Link = { client, upstream, held: [] };
    links.add(link);
    for (const socket of [client, upstream]) {
      socket.on("error", () => undefined);
      socket.on("close", () => destroy(link));
    }
    upstream.pipe(client);
    client.on("data", (chunk: Buffer) => {
      const isHolding = link.held.length > 0 || (isShut && chunk.includes(PEM));
      if (!isHolding) return void upstream.write(chunk);
      link.held.push(chunk);
      arrive();
    });
  });
  const cut = () => {
    for (const link of links) destroy(link);
  };
  const open = (isOneWay: boolean) => {
    isShut = false;
    for (const { client, upstream, held } of links) {
      if (isOneWay && held.length > 0) upstream.unpipe(client).resume();
      for (const chunk of held.splice(0)) upstream.write(chunk);
    }
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    cut();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    arrived,
    open: () => open(false),
    openOneWay: () => open(true),
    cut,
  };
}

interface Link {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly held: Buffer[];
}

function destroy({ client, upstream }: Link): void {
  client.destroy();
  upstream.destroy();
}
