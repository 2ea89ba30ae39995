/** The status page, what it is made of, and the stream that keeps it up to date. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { bundleName } from "../core/names.ts";
import { PageChanges } from "../page/changes.ts";
import { type ChangesAllowed, detailsOf, pageDocument } from "../page/document.ts";
import { isLocal } from "./authority.ts";
import type { AdminLimits } from "./limits.ts";
import type { AdminOptions } from "./options.ts";
import { checkHost, checkOwnName, checkSite } from "./origin.ts";
import type { TurnAway } from "./refusals.ts";
import { notAllowed, type Reply, text } from "./reply.ts";
import { Streams } from "./streams.ts";
import { pathOf, queryOf } from "./target.ts";

/** An answer that goes on until the client is gone. */
interface StreamReply {
  readonly stream: (response: ServerResponse) => Promise<void>;
}

/** The page of a server. */
export interface PageRoutes {
  /** Undefined where something else is asked for. */
  answer(request: IncomingMessage): Promise<Reply | StreamReply> | undefined;
  readonly streams: Streams;
}

const ASSETS: ReadonlyMap<string, string> = new Map([
  ["page.css", "text/css; charset=utf-8"],
  ["page.js", "text/javascript; charset=utf-8"],
  ["changes.js", "text/javascript; charset=utf-8"],
  ["live.js", "text/javascript; charset=utf-8"],
  ["patch.js", "text/javascript; charset=utf-8"],
  ["search.js", "text/javascript; charset=utf-8"],
  ["times.js", "text/javascript; charset=utf-8"],
  ["icon.svg", "image/svg+xml"],
]);

/** Nothing from elsewhere, nothing inline, in no frame, and no word to others about where one comes from. */
const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const MAX_QUERY_CHARS = 200;

/** Makes the page of a server. */
export function createPageRoutes(options: AdminOptions, limits: AdminLimits, turnAway: TurnAway): PageRoutes {
  const { status, history: onDisk, now } = options;
  const changes = new PageChanges({ status, onDisk, now });
  const streams = new Streams(changes, limits, options.onError);

  function page(request: IncomingMessage): Reply {
    changes.refresh();
    const query = queryIn(request, "q").trim().slice(0, MAX_QUERY_CHARS);
    const allowed = changesAllowed(request, options);
    const view = { status: status(), now: now(), query, since: changes.place, changes: allowed, onDisk };
    return pageReply(pageDocument(view));
  }

  function details(segment: string): Reply {
    const whole = status();
    const bundle = whole.bundles.find(({ name }) => name === bundleName(segment));
    if (bundle === undefined) return text(404, `there is no bundle ${segment} here\n`);
    return pageReply(detailsOf(bundle, { status: whole, now: now(), onDisk }).toString());
  }

  function events(request: IncomingMessage): Reply | StreamReply {
    // A page of another origin cannot read it, and may not take the room of those that can.
    const denial = checkSite(request);
    if (denial !== undefined) return turnAway(request, denial);
    if (request.method === "HEAD") return { ...text(200, ""), contentType: "text/event-stream" };
    if (streams.isFull) return text(503, `${limits.streams} pages are open already\n`);
    const last = request.headers["last-event-id"];
    const place = typeof last === "string" ? last : queryIn(request, "since");
    return { stream: (response) => streams.serve(response, place) };
  }

  const routeOf = (
    path: string,
  ): ((request: IncomingMessage) => Reply | StreamReply | Promise<Reply>) | undefined => {
    if (path === "/") return page;
    if (path === "/events") return events;
    const [, bundle] = /^\/page\/bundles\/([^/]+)$/.exec(path) ?? [];
    if (bundle !== undefined) return () => details(bundle);
    const [, file = ""] = /^\/page\/([^/]+)$/.exec(path) ?? [];
    const contentType = ASSETS.get(file);
    return contentType === undefined ? undefined : () => asset(file, contentType);
  };

  return {
    streams,
    answer: (request) => {
      const route = routeOf(pathOf(request.url ?? "/"));
      if (route === undefined) return undefined;
      if (request.method !== "GET" && request.method !== "HEAD")
        return Promise.resolve(notAllowed("GET, HEAD"));
      const denial = checkHost(request, options);
      return Promise.resolve(denial === undefined ? route(request) : turnAway(request, denial));
    },
  };
}

async function asset(file: string, contentType: string): Promise<Reply> {
  const body = await readFile(new URL(`../page/browser/${file}`, import.meta.url), "utf8");
  return { status: 200, body, contentType, headers: PAGE_HEADERS };
}

function pageReply(body: string): Reply {
  return { status: 200, body, contentType: "text/html; charset=utf-8", headers: PAGE_HEADERS };
}

function changesAllowed(request: IncomingMessage, options: AdminOptions): ChangesAllowed {
  if (options.tokenFile() === undefined) return "noTokenFile";
  const isHere = isLocal(request.socket) && checkOwnName(request, options) === undefined;
  return isHere ? "withToken" : "notLocal";
}

function queryIn({ url }: IncomingMessage, name: string): string {
  return new URLSearchParams(queryOf(url ?? "")).get(name) ?? "";
}
