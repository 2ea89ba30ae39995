/** A service that takes hooks over real HTTP, remembers each, and answers as the test says. */
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Scope } from "./scope.ts";

/** One hook as it arrived. */
interface ReceivedHook {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body, parsed. */
  readonly event: {
    readonly type: string;
    readonly data: {
      readonly bundle: string;
      readonly reason: string;
      readonly digest: string;
      readonly generation: string;
      readonly revision: number;
      readonly leaf: { readonly fingerprint256: string } | null;
      readonly paths: { readonly dir: string; readonly combined: string | null };
    };
  };
  readonly atMs: number;
}

/** A receiver that listens. */
export interface HookReceiver {
  readonly url: string;
  readonly hooks: ReceivedHook[];
  /** Most hooks that were under way at the same time. */
  readonly mostAtOnce: () => number;
  close(): Promise<void>;
}

/** How to answer; the default is 204 at once. */
export interface HookBehaviour {
  readonly port?: number;
  readonly socketPath?: string;
  readonly answer?: (hook: ReceivedHook, respond: Parameters<RequestListener>[1]) => void | Promise<void>;
}

/** Starts a receiver that is closed when the test is over. */
export async function useHookReceiver(t: Scope, behaviour: HookBehaviour = {}): Promise<HookReceiver> {
  const { answer = (_hook, respond) => void respond.writeHead(204).end(), port = 0, socketPath } = behaviour;
  const hooks: ReceivedHook[] = [];
  let now = 0;
  let most = 0;
  const server = createServer((request, respond) => {
    now++;
    most = Math.max(most, now);
    respond.on("close", () => now--);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const hook = { headers: request.headers, body, event: JSON.parse(body), atMs: performance.now() };
      hooks.push(hook);
      void answer(hook, respond);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    if (socketPath === undefined) server.listen(port, "127.0.0.1", resolve);
    else server.listen(socketPath, resolve);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  t.after(close);
  const address = server.address() as AddressInfo | string;
  const url =
    typeof address === "string" ? "http://localhost/-/reload" : `http://127.0.0.1:${address.port}/-/reload`;
  return { url, hooks, mostAtOnce: () => most, close };
}
