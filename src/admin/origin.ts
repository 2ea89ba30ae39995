/** Keeps web pages from asking for changes through a browser of this machine, also under a name they made point here. */
import type { IncomingMessage } from "node:http";
import { hostname } from "node:os";
import { type Refusal, refuse } from "./reply.ts";
import { authorityOf } from "./target.ts";

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/**
 * Refuses a request that was sent to a name that is not this machine's (DNS rebinding), or by a page of another origin
 * (RFC 6454 §7).
 *
 * @param listenHost Where the server listens, which is a name of this machine too.
 */
export function checkOrigin(
  { url, headers }: Pick<IncomingMessage, "url" | "headers">,
  listenHost: string,
): Refusal | undefined {
  const host = (authorityOf(url ?? "") ?? headers.host ?? "").toLowerCase();
  if (!isOwnName(nameOf(host), listenHost)) {
    return refuse(403, `${JSON.stringify(host)} is not a name of this machine: ask 127.0.0.1 or localhost`);
  }
  const { origin } = headers;
  if (origin === undefined || origin.toLowerCase().replace(/^https?:\/\//, "") === host) return undefined;
  return refuse(403, `a page of ${JSON.stringify(origin)} may not change anything here`);
}

function isOwnName(name: string, listenHost: string): boolean {
  const own = [hostname(), listenHost, `[${listenHost}]`].map((one) => one.toLowerCase());
  return LOOPBACK.test(name) || own.includes(name);
}

/** Without the port, and without the dot that a full name may end with. */
function nameOf(host: string): string {
  return host.replace(/:\d*$/, "").replace(/\.$/, "");
}
