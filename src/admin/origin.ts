/** Keeps web pages from reading or asking for changes through a browser, also under a name they made point here. */
import type { IncomingMessage } from "node:http";
import { isIP, isIPv6 } from "node:net";
import { hostname } from "node:os";
import { shorten } from "../core/words.ts";
import { isLocal } from "./authority.ts";
import { type Denial, deny } from "./reply.ts";
import { authorityOf } from "./target.ts";

type Asked = Pick<IncomingMessage, "url" | "headers">;

/** What this machine is called in the configuration: its `node`, and where the server listens. */
interface Here {
  readonly node: string;
  readonly listen: { readonly host: string };
}

/**
 * Refuses a request that was sent to a name that is not this machine's: a page of that name would be of the same origin
 * as the answer (DNS rebinding). Where others than this machine can connect, a name without a dot is taken too: it is
 * made where the machine is, such as a service of Compose, and nobody elsewhere can have it.
 */
export function checkHost(request: Asked, here: Here): Denial | undefined {
  const isPlain = isOpen(here) && /^[a-z0-9_-]+$/.test(nameOf(hostOf(request)));
  return isPlain ? undefined : checkOwnName(request, here);
}

/** Refuses a request for a change that was sent to a name that is not this machine's, or by a page of another origin. */
export function checkOrigin(request: Asked, here: Here): Denial | undefined {
  return checkOwnName(request, here) ?? checkSite(request);
}

/**
 * Refuses what a page of another origin asks for (RFC 6454 §7). Browsers say so in either header: `Sec-Fetch-Site` is
 * not sent over http to a name, `Origin` not with every GET.
 */
export function checkSite(request: Asked): Denial | undefined {
  const { origin, "sec-fetch-site": site = "none" } = request.headers;
  const isForeign =
    origin !== undefined && origin.toLowerCase().replace(/^https?:\/\//, "") !== hostOf(request);
  if (!isForeign && (site === "none" || site === "same-origin")) return undefined;
  const page = origin === undefined ? "another site" : JSON.stringify(shorten(origin));
  return deny(403, "foreign_origin", `a page of ${page} may not ask for this: open the status page itself`);
}

/** As {@link checkHost}, without names that may be those of others. An address cannot be made to point elsewhere. */
export function checkOwnName(request: Asked, here: Here): Denial | undefined {
  const host = hostOf(request);
  const name = nameOf(host);
  const own = [hostname(), hostname().split(".", 1)[0], here.listen.host, here.node];
  const isOwn = name !== "" && own.some((one) => one?.toLowerCase() === name);
  if (isOwn || isIP(name) !== 0 || name === "localhost") return undefined;
  const shown = JSON.stringify(shorten(host));
  const help = `ask 127.0.0.1, another address of it, or ${here.node}; if the name is yours, set node to it`;
  return deny(403, "foreign_host", `${shown} is not known as a name of this machine: ${help}`);
}

function isOpen({ listen: { host } }: Here): boolean {
  return host.toLowerCase() !== "localhost" && !isLocal({ remoteAddress: host });
}

function hostOf({ url, headers }: Asked): string {
  return (authorityOf(url ?? "") ?? headers.host ?? "").toLowerCase();
}

/** Without the port, the dot that a full name may end with, and the brackets of an address. */
function nameOf(host: string): string {
  const name = host.replace(/:\d*$/, "").replace(/\.$/, "");
  const [, inside = ""] = /^\[(.*)\]$/.exec(name) ?? [];
  return isIPv6(inside) ? inside : name;
}
