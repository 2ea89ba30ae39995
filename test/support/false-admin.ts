/** What answers on the admin port in place of the daemon, with whatever it likes. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Scope } from "./scope.ts";

/** The port it answers on, with these bodies by path, and 404 on any other. */
export async function useFalseAdmin(t: Scope, bodies: Readonly<Record<string, object>>): Promise<string> {
  const server = createServer(({ url = "" }, response) => {
    const body = bodies[url] ?? { error: { code: "BUNDLE_UNKNOWN", message: "no such bundle" } };
    response.writeHead(url in bodies ? 200 : 404).end(JSON.stringify(body));
  });
  t.after(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return String((server.address() as AddressInfo).port);
}

/** A history, of which the last is current. */
export function historyOf(ids: readonly string[]): object {
  return { current: ids.at(-1), generations: ids.map((id) => ({ id })) };
}
