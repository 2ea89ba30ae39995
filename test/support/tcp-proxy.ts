/** A real TCP proxy on 127.0.0.1 that breaks links in the ways networks do. */
import { once } from "node:events";
import { createServer, connect as dial, type Socket } from "node:net";
import type { Scope } from "./scope.ts";

/**
 * What happens to links: `pass` forwards; `blackhole` holds what both sides of a live link send, and forwards it when
 * links pass again; `silent` leaves live links alone; `refuse` closes the listener and cuts every link. Where new links
 * are neither forwarded nor refused, they are accepted and nothing is ever said on them.
 */
type ProxyMode = "pass" | "blackhole" | "silent" | "refuse";

/** A proxy that listens. */
export interface TcpProxy {
  readonly port: number;
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  /** Links that were accepted so far. */
  readonly accepted: number;
  /** Links whose client has not gone. */
  readonly open: number;
  /** Bytes that were sent to clients so far. */
  readonly forwarded: number;
  set(mode: ProxyMode): Promise<void>;
  /** Sends new links somewhere else. */
  pointAt(port: number): void;
  /** Destroys every live link; new ones are made as before. */
  cut(): void;
  /** Cuts each new link after the target has sent this many bytes on it. */
  cutAfter(bytes: number): void;
  /** Forwards no more than this many bytes a second to a client, on each new link. */
  throttle(bytesPerSecond: number): void;
}

/** Starts a proxy to `targetPort` that is closed when the test is over. */
export async function useTcpProxy(t: Scope, targetPort: number): Promise<TcpProxy> {
  const links = new Set<Link>();
  let [mode, target, accepted, forwarded]: [ProxyMode, number, number, number] = ["pass", targetPort, 0, 0];
  const limits = { ...UNLIMITED };
  const count = (bytes: number) => {
    forwarded += bytes;
  };
  const server = createServer((client) => {
    accepted++;
    const link = mode === "pass" ? forward(client, target, { ...limits, count }) : swallow(client);
    links.add(link);
    client.once("close", () => links.delete(link));
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  };
  const cut = () => {
    for (const link of links) link.destroy();
  };
  const refuse = async () => {
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    cut();
    await closed;
  };
  t.after(refuse);
  const port = await listen(0);
  return {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    get accepted() {
      return accepted;
    },
    get open() {
      return links.size;
    },
    get forwarded() {
      return forwarded;
    },
    set: async (wanted) => {
      mode = wanted;
      if (mode === "refuse") await refuse();
      else if (!server.listening) await listen(port);
      for (const link of links) link.hold(mode === "blackhole");
    },
    pointAt: (newTarget) => {
      target = newTarget;
    },
    cut,
    cutAfter: (bytes) => {
      limits.bytes = bytes;
    },
    throttle: (bytesPerSecond) => {
      limits.bytesPerSecond = bytesPerSecond;
    },
  };
}

interface Link {
  hold(isHeld: boolean): void;
  destroy(): void;
}

interface Limits {
  readonly bytes: number;
  readonly bytesPerSecond: number;
  readonly count?: (bytes: number) => void;
}

const UNLIMITED = { bytes: Number.POSITIVE_INFINITY, bytesPerSecond: Number.POSITIVE_INFINITY };

function swallow(client: Socket): Link {
  client.on("error", () => undefined).resume();
  return { hold: () => undefined, destroy: () => client.resetAndDestroy() };
}

function forward(client: Socket, target: number, limits: Limits): Link {
  const upstream = dial(target, "127.0.0.1");
  const up = pump(client, upstream, {
    bytes: Number.POSITIVE_INFINITY,
    bytesPerSecond: Number.POSITIVE_INFINITY,
  });
  const down = pump(upstream, client, limits);
  return {
    hold: (isHeld) => {
      up.hold(isHeld);
      down.hold(isHeld);
    },
    destroy: () => {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    },
  };
}

/** Copies one direction. Reads on while it holds, so that it notices when its side is gone. */
function pump(from: Socket, to: Socket, { bytes, bytesPerSecond, count }: Limits) {
  let [isHeld, left]: [boolean, number] = [false, bytes];
  const held: Buffer[] = [];
  const write = (chunk: Buffer) => {
    left -= chunk.length;
    count?.(chunk.length);
    const pauseMs = (chunk.length / bytesPerSecond) * 1_000;
    const isFull = !to.write(chunk.subarray(0, chunk.length + Math.min(0, left)));
    if (left <= 0) {
      to.destroySoon();
      from.destroy();
    } else if (pauseMs > 0 || isFull) {
      from.pause();
      const resume = () => from.resume();
      if (pauseMs > 0) setTimeout(resume, pauseMs);
      else to.once("drain", resume);
    }
  };
  from.setNoDelay();
  from.on("data", (chunk: Buffer) => {
    if (isHeld) held.push(chunk);
    else write(chunk);
  });
  from.on("error", () => undefined);
  from.on("close", () => to.destroySoon());
  return {
    hold: (wanted: boolean) => {
      isHeld = wanted;
      if (!isHeld) for (const chunk of held.splice(0)) write(chunk);
    },
  };
}
