/** Which request does what. What changes something needs a token, and may not come from a web page. */
import type { IncomingMessage } from "node:http";
import { KeyturnError } from "../core/errors.ts";
import { type BundleName, bundleName } from "../core/names.ts";
import { checkAuthority } from "./authority.ts";
import { answerRetry, answerRollback } from "./change.ts";
import { readInput, readJson } from "./input.ts";
import type { AdminOptions } from "./options.ts";
import { checkHost, checkOrigin } from "./origin.ts";
import type { TurnAway } from "./refusals.ts";
import { json, notAllowed, type Reply, refuse, refused, text } from "./reply.ts";
import { pathOf } from "./target.ts";

type Route = (options: AdminOptions, request: IncomingMessage) => Reply | Promise<Reply>;
type BundleRoute = (options: AdminOptions, name: BundleName, request: IncomingMessage) => Promise<Reply>;

const READS: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/healthz", () => text(200, "ok\n")],
  ["/readyz", ({ status }) => readiness(status())],
  ["/status", ({ status }) => json(200, status())],
  [
    "/metrics",
    async ({ metrics }) => {
      const { contentType, text: body } = await metrics();
      return { status: 200, body, contentType };
    },
  ],
]);

/** Prometheus and probes ask for these, by whatever name they know the node. */
const BY_ANY_NAME: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);

const CHANGES: ReadonlyMap<string, Route> = new Map<string, Route>([
  [
    "/-/reload",
    async ({ reload }) => {
      await reload();
      return json(200, { done: true });
    },
  ],
  [
    "/-/resync",
    ({ resync }) => {
      resync();
      return json(202, { done: true });
    },
  ],
  [
    "/-/alerts",
    async ({ alerts }, request) => {
      const input = await readJson(request, MAX_ALERTS_BYTES);
      if (!input.ok) return refused(input.refusal);
      const taken = await alerts(input.value);
      return taken.ok ? json(200, { alerts: taken.alerts }) : refused(refuse(400, taken.why));
    },
  ],
  // Whether the token is the right one: for a page that asks for it before it shows what can be done with it.
  ["/-/token", () => json(200, { done: true })],
]);

/** A group of a few hundred alerts, which Alertmanager sends as one. */
const MAX_ALERTS_BYTES = 262_144;

const BUNDLE_CHANGES: ReadonlyMap<string, BundleRoute> = new Map<string, BundleRoute>([
  [
    "rollback",
    async ({ rollback }, name, request) => {
      const input = await readInput(request, ["to"]);
      if (!input.ok) return refused(input.refusal);
      return answerRollback(name, await rollback(name, input.values.get("to")));
    },
  ],
  [
    "retry",
    async ({ retry }, name, request) => {
      const input = await readInput(request, []);
      return input.ok ? answerRetry(name, await retry(name)) : refused(input.refusal);
    },
  ],
]);

/** Answers a request; rejects with what was thrown while it was carried out. */
export async function answer(
  request: IncomingMessage,
  options: AdminOptions,
  turnAway: TurnAway,
): Promise<Reply> {
  const pathname = pathOf(request.url ?? "/");
  const read = READS.get(pathname) ?? historyOf(pathname);
  if (read !== undefined) {
    if (request.method !== "GET" && request.method !== "HEAD") return notAllowed("GET, HEAD");
    const denial = BY_ANY_NAME.has(pathname) ? undefined : checkHost(request, options);
    return denial === undefined ? read(options, request) : turnAway(request, denial);
  }
  const change = CHANGES.get(pathname) ?? changeOf(pathname, request);
  if (change === undefined) return text(404, `there is no ${pathname}\n`);
  if (request.method !== "POST") return notAllowed("POST");
  const denial = checkOrigin(request, options) ?? (await checkAuthority(request, options.tokenFile()));
  return denial === undefined ? change(options, request) : turnAway(request, denial);
}

function historyOf(pathname: string): Route | undefined {
  const segment = /^\/bundles\/([^/]+)\/history$/.exec(pathname)?.[1];
  if (segment === undefined) return undefined;
  return ({ history }) => {
    const name = nameIn(segment);
    const found = history(name);
    if (found === undefined) throw unknown(name);
    return json(200, { bundle: name, ...found });
  };
}

function changeOf(pathname: string, request: IncomingMessage): Route | undefined {
  const [, segment = "", what = ""] = /^\/-\/bundles\/([^/]+)\/([^/]+)$/.exec(pathname) ?? [];
  const route = BUNDLE_CHANGES.get(what);
  return route && ((options) => route(options, nameIn(segment), request));
}

/** @throws KeyturnError BUNDLE_UNKNOWN: what cannot be a name is no bundle's. */
function nameIn(segment: string): BundleName {
  const name = bundleName(segment);
  if (name === undefined) throw unknown(segment);
  return name;
}

function unknown(name: string): KeyturnError {
  return new KeyturnError("BUNDLE_UNKNOWN", `there is no bundle ${name} here: keyturn status lists them`);
}

function readiness({ ready, notReady }: { ready: boolean; notReady: readonly string[] }): Reply {
  return json(ready ? 200 : 503, { ready, notReady });
}
