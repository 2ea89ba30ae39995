/** A server of a test, listening on a port of its own. */
import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import type { TestContext } from "node:test";

/** Has it listen on 127.0.0.1 until the test is over, when its connections are cut; gives its port. */
export async function listenFor(t: TestContext, server: Server): Promise<number> {
  const open = new Set<Socket>();
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => open.delete(socket));
  };
  // A TLS server tells of both, and each can fail.
  server.on("connection", keep).on("secureConnection", keep);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
