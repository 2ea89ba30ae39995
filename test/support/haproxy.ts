/** A real haproxy for a test, with TLS on a port of its own and its runtime socket. */

import type { ChildProcess } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePorts } from "../../src/dev/etcd.ts";
import { isOpen, runServer, stopServer } from "./server-process.ts";
import { needTool } from "./tools.ts";

/** How it is set up. */
export interface HaproxySettings {
  /** Files with key and certificates; the first is served to whom asks for no name. */
  readonly certificates: readonly string[];
  /** Of the runtime socket. */
  readonly level?: "admin" | "operator" | "user";
  /** Further lines of the global section. */
  readonly global?: readonly string[];
}

/** A haproxy that is set up, and runs once it was started. */
export interface TestHaproxy {
  readonly port: number;
  readonly socketPath: string;
  start(): Promise<ChildProcess>;
  /** The process that runs. */
  process(): ChildProcess;
  stop(): Promise<void>;
  /** The answer to a command on the runtime socket, or on another of its sockets. */
  ask(command: string): Promise<string>;
}

/** Sets up a haproxy in the folder; it ends with the test. */
export async function useHaproxy(
  t: TestContext,
  folder: string,
  { certificates, level = "admin", global = [] }: HaproxySettings,
): Promise<TestHaproxy> {
  const program = needTool("haproxy");
  const [port = 0] = await freePorts(1);
  const socketPath = join(folder, "haproxy.sock");
  const file = join(folder, "haproxy.cfg");
  const bind = certificates.map((path) => `crt "${path.replace(/["\\]/g, "\\$&")}"`).join(" ");
  const lines = [
    "global",
    `  stats socket ${socketPath} level ${level}`,
    "  maxconn 256",
    // Two haproxies of two tests would otherwise share a port that both were given.
    "  noreuseport",
    ...global.map((line) => `  ${line}`),
    "defaults",
    "  mode http",
    "  timeout connect 10s",
    "  timeout client 60s",
    "  timeout server 60s",
    "frontend web",
    `  bind 127.0.0.1:${port} ssl ${bind}`,
    '  http-request return status 200 content-type text/plain string "ok"',
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  let child: ChildProcess | undefined;
  return {
    port,
    socketPath,
    start: async () => {
      // The socket comes after the port.
      child = await runServer(t, program, ["-db", "-f", file], async () => {
        return (await isOpen(port)) && isOpen(socketPath);
      });
      return child;
    },
    process: () => {
      if (child === undefined) throw new Error("haproxy was not started");
      return child;
    },
    stop: async () => {
      if (child !== undefined) await stopServer(child);
    },
    ask: (command) => askSocket(socketPath, command),
  };
}

/** Not what is tested: written a second time, in the plainest way. */
function askSocket(socketPath: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
    socket.write(`${command}\n`);
  });
}
