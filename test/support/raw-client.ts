/** A client below HTTP: what it sends is sent as it is, and it reads when it is told to. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A client that is connected. */
export interface RawClient {
  readonly socket: Socket;
  /** Everything that came so far; nothing comes before this is called. */
  received(): string;
  /** When the connection is over, however it ended. */
  readonly closed: Promise<unknown>;
}

/** Connects; it hangs up when the test is over. */
export async function useRawClient(t: TestContext, url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  // However it ends.
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  let text: string | undefined;
  const received = () => {
    if (text !== undefined) return text;
    text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    return text;
  };
  return { socket, received, closed };
}

/** Sends a text, and gives all that comes until the server closes the connection. */
export async function exchange(t: TestContext, url: string, sent: string): Promise<string> {
  const { socket, received, closed } = await useRawClient(t, url);
  received();
  socket.write(sent, "latin1");
  await closed;
  return received();
}
