/** The port of a service without TLS, for this machine alone: `POST /-/reload`, keyturn's hook, and `GET /metrics`. */
import { once } from "node:events";
import { createServer } from "node:http";
import { factsOf, nowMs, say } from "./lines.js";

/**
 * What a service has once it serves.
 *
 * @typedef {object} Serving
 * @property {import("keyturn").BundleSource} source
 * @property {import("keyturn").ReloadHook} hook
 * @property {import("prom-client").Registry} registry
 */

/**
 * Opens it before the service serves: keyturn may tell of the first bundle before the service has seen it, and then waits.
 *
 * @param {string} address
 * @param {Promise<Serving>} serving
 */
export async function openPlainPort(address, serving) {
  const server = createServer(async (request, response) => {
    const receivedAtMs = nowMs();
    const { source, hook, registry } = await serving;
    if (request.url === "/-/reload") {
      response.on("finish", () => {
        say("hook", { status: response.statusCode, receivedAtMs, ...factsOf(source.current) });
      });
      hook(request, response);
    } else if (request.url === "/metrics") {
      response.writeHead(200, { "content-type": registry.contentType }).end(await registry.metrics());
    } else response.writeHead(404).end();
  });
  say("listening", { port: await listen(server, address) });
}

/**
 * Listens at `host:port`; port 0 takes a free one.
 *
 * @param {import("node:net").Server} server
 * @param {string} address
 * @returns {Promise<number>} the port
 */
export async function listen(server, address) {
  const [, host = "127.0.0.1", port = "0"] = /^(.*):(\d+)$/.exec(address) ?? [];
  server.listen(Number(port), host);
  await once(server, "listening");
  return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
}
