/** One connection of HTTP/1.1 for one request after another: it fails where it had to be made again. */
import { once } from "node:events";
import { Agent, get } from "node:https";
import { connectionOptions, type Target } from "./target.ts";

/** A connection that is open. */
export class KeptConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #target: Target;
  #isOpen = false;

  private constructor(target: Target) {
    this.#target = target;
  }

  static async open(target: Target): Promise<KeptConnection> {
    const connection = new KeptConnection(target);
    await connection.ask();
    return connection;
  }

  /** One request, and its answer. */
  async ask(): Promise<void> {
    const options = connectionOptions(this.#target, "http/1.1");
    const request = get({ ...options, agent: this.#agent, path: "/" });
    const [response] = await once(request, "response");
    await once(response.resume(), "end");
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
    if (this.#isOpen && !request.reusedSocket) throw new Error("the connection had to be made again");
    this.#isOpen = true;
  }

  close(): void {
    this.#agent.destroy();
  }
}
