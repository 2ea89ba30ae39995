/** `keyturn status`: what the daemon of this node knows, asked over its admin address; once, or again and again. */
import type { Config } from "../config/schema.ts";
import { KeyturnError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { whyNotReady } from "../observe/readiness.ts";
import type { Status } from "../observe/status.ts";
import { systemClock } from "../runtime/clock.ts";
import { askDaemon, explainRefusal } from "./admin-client.ts";
import { parseBundleName } from "./bundle-name.ts";
import { type ConfigOptions, loadCommandConfig } from "./config-file.ts";
import { joinBlocks } from "./lines.ts";
import { print, printJson } from "./print.ts";
import { type Screen, screen } from "./screen.ts";
import { describeBundle } from "./status-bundle.ts";
import { describeStatus } from "./status-text.ts";
import { watchStatus } from "./status-watch.ts";

const TIMEOUT_MS = 5_000;

/** What is typed. */
export interface StatusOptions extends ConfigOptions {
  readonly json?: boolean;
  /** Between two looks; undefined for one. */
  readonly watchMs?: number | undefined;
}

/** Exit code 0 where the node is ready, or the bundles that are named; 1 where not. A watch that was ended is 0. */
export async function showStatus(texts: readonly string[], options: StatusOptions): Promise<number> {
  const names = texts.map(parseBundleName);
  const { admin } = await loadCommandConfig(options);
  const { json, watchMs } = options;
  if (watchMs !== undefined) {
    const ask = async () => only(names, await readStatus(admin));
    const draw = (status: Status, now: Date, on: Screen) => describe(status, names, now, on);
    await watchStatus(ask, draw, watchMs, json ?? false);
    return 0;
  }
  const reply = await askDaemon(admin, { method: "GET", path: "/status", timeoutMs: TIMEOUT_MS });
  if (reply.kind === "refused") {
    await explainRefusal(reply, admin, { json });
    return 1;
  }
  const now = systemClock.now();
  const status = only(names, reply.body as Status);
  if (json) printJson(status);
  else print(describe(status, names, now, screen()).join("\n"));
  return isWell(status, names, now) ? 0 : 1;
}

/** @throws KeyturnError DAEMON_UNREACHABLE. */
async function readStatus(admin: Config["admin"]): Promise<Status> {
  const reply = await askDaemon(admin, { method: "GET", path: "/status", timeoutMs: TIMEOUT_MS });
  if (reply.kind === "answer") return reply.body as Status;
  throw new KeyturnError("DAEMON_UNREACHABLE", `the daemon refuses: ${reply.code}: ${reply.message}`);
}

/**
 * The status with these bundles alone; all of it where none is named.
 *
 * @throws KeyturnError BUNDLE_UNKNOWN.
 */
function only(names: readonly string[], status: Status): Status {
  if (names.length === 0) return status;
  const known = status.bundles.map(({ name }) => name as string);
  for (const name of names) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    const hint = meant === undefined ? "keyturn status lists them" : `did you mean ${meant}?`;
    throw new KeyturnError("BUNDLE_UNKNOWN", `there is no bundle ${name} here: ${hint}`);
  }
  return {
    ...status,
    bundles: status.bundles.filter(({ name }) => names.includes(name)),
    services: status.services.filter(({ bundle }) => names.includes(bundle)),
  };
}

function describe(status: Status, names: readonly string[], now: Date, on: Screen): string[] {
  if (names.length === 0) return describeStatus(status, now, on);
  return joinBlocks(status.bundles.map((bundle) => describeBundle(bundle, status.services, now, on)));
}

function isWell({ ready, bundles }: Status, names: readonly string[], now: Date): boolean {
  return names.length === 0 ? ready : bundles.every((bundle) => whyNotReady(bundle, now) === null);
}
