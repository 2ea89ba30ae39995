/** An admin server of a test, and raw requests to it. */
import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ADMIN_LIMITS, type AdminLimits } from "../../src/admin/limits.ts";
import type { AdminOptions } from "../../src/admin/options.ts";
import { startAdminServer } from "../../src/admin/server.ts";
import { boardAfter } from "./board.ts";
import * as events from "./events.ts";
import { useFolder } from "./folder.ts";
import { generationOf } from "./notice.ts";

/** What came back. */
export interface AdminAnswer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** A server that listens on a port of its own. */
export interface TestAdmin {
  readonly url: string;
  /** Sends a request with exactly this path, which `fetch` would put right. */
  ask(
    method: string,
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<AdminAnswer>;
}

const LIVE = generationOf("inference", "live");

/** The status of a node that is ready and knows no bundle. */
export const NOTHING_KNOWN = boardAfter(events.connected, events.snapshot());

/** A daemon that is ready, knows no bundle, and does what it is asked. */
export const IDLE: AdminOptions = {
  node: "gpu-017",
  listen: { host: "127.0.0.1", port: 0 },
  tokenFile: () => undefined,
  metrics: async () => ({ contentType: "text/plain; version=0.0.4", text: "keyturn_queue_depth 0\n" }),
  now: () => new Date("2031-01-15T00:00:00.000Z"),
  status: () => NOTHING_KNOWN,
  history: () => undefined,
  reload: async () => undefined,
  resync: () => undefined,
  rollback: async () => ({ kind: "interrupted" }),
  retry: async () => ({ kind: "reloaded", outcome: { kind: "unchanged", generation: LIVE } }),
  alerts: async () => ({ ok: true, alerts: [] }),
  report: () => undefined,
  onError: () => undefined,
};

/** Starts it; it is closed when the test is over. */
export async function useAdmin(
  t: TestContext,
  options: Partial<AdminOptions> = {},
  limits: Partial<AdminLimits> = {},
): Promise<TestAdmin> {
  const server = await startAdminServer({ ...IDLE, ...options }, { ...ADMIN_LIMITS, ...limits });
  t.after(() => server.close());
  return {
    url: server.url,
    ask: (method, path, headers = {}, body = "") => ask(server.url, method, path, headers, body),
  };
}

/** A file with the token `open sesame`. */
export async function writeToken(t: TestContext, text = "open sesame\n"): Promise<string> {
  const file = join(await useFolder(t), "token");
  await writeFile(file, text);
  return file;
}

function ask(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  sent: string,
): Promise<AdminAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const host = hostname.replace(/^\[|\]$/g, "");
    const asked = request({ host, port, method, path, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    asked.on("error", reject);
    asked.end(sent);
  });
}
