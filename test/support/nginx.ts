/** A real nginx for a test, with TLS on a port of its own. */

import type { ChildProcess } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePorts } from "../../src/dev/etcd.ts";
import { isOpen, runServer, stopServer } from "./server-process.ts";
import { needTool } from "./tools.ts";

/** Which files it serves. */
export interface NginxSettings {
  readonly cert: string;
  readonly key: string;
}

/** An nginx that is set up, and runs once it was started. */
export interface TestNginx {
  readonly port: number;
  readonly pidFile: string;
  /** The words that make a running nginx read its files again. */
  readonly reload: readonly string[];
  start(): Promise<ChildProcess>;
  stop(): Promise<void>;
}

/** Sets up an nginx in the folder; it ends with the test. */
export async function useNginx(
  t: TestContext,
  folder: string,
  { cert, key }: NginxSettings,
): Promise<TestNginx> {
  const program = needTool("nginx");
  const [port = 0] = await freePorts(1);
  const home = join(folder, "nginx");
  const file = join(home, "nginx.conf");
  const pidFile = join(home, "nginx.pid");
  await mkdir(home);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const lines = [
    // Workers of a master that is root would otherwise be another user, who has to exist.
    ...(process.getuid?.() === 0 ? ["user root root;"] : []),
    "daemon off;",
    "worker_processes 2;",
    `pid ${pidFile};`,
    "events { worker_connections 256; }",
    "http {",
    "  access_log off;",
    ...temporary.map((name) => `  ${name}_temp_path ${join(home, name)};`),
    "  server {",
    `    listen 127.0.0.1:${port} ssl;`,
    `    ssl_certificate ${cert};`,
    `    ssl_certificate_key ${key};`,
    '    location / { return 200 "ok"; }',
    "  }",
    "}",
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const words = ["-p", home, "-e", "stderr", "-c", file];
  let child: ChildProcess | undefined;
  return {
    port,
    pidFile,
    reload: [program, ...words, "-s", "reload"],
    start: async () => {
      // The pid file comes after the port.
      child = await runServer(t, program, words, async () => {
        const pid = await readFile(pidFile, "utf8").catch(() => "");
        return pid !== "" && isOpen(port);
      });
      return child;
    },
    stop: async () => {
      if (child !== undefined) await stopServer(child);
    },
  };
}
