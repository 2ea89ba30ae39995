/** An admin server of a test, and raw requests to it. */
import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type AdminOptions, startAdminServer } from "../../src/admin/server.ts";
import { useFolder } from "./folder.ts";

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
  ask(method: string, path: string, headers?: Readonly<Record<string, string>>): Promise<AdminAnswer>;
}

/** Starts it; it is closed when the test is over. */
export async function useAdmin(t: TestContext, options: Partial<AdminOptions> = {}): Promise<TestAdmin> {
  const server = await startAdminServer({
    listen: { host: "127.0.0.1", port: 0 },
    tokenFile: () => undefined,
    metrics: async () => ({ contentType: "text/plain; version=0.0.4", text: "keyturn_queue_depth 0\n" }),
    status: () => ({ ready: true, notReady: [] }),
    reload: async () => undefined,
    resync: () => undefined,
    onError: () => undefined,
    ...options,
  });
  t.after(() => server.close());
  return { url: server.url, ask: (method, path, headers = {}) => ask(server.url, method, path, headers) };
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
    asked.end();
  });
}
