/** An etcd of its own on loopback, for `run --dev`, the demo and the tests: real, and gone afterwards. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { KeyturnError } from "../core/errors.ts";
import { systemClock } from "../runtime/clock.ts";

/** The two programs of etcd. */
export interface EtcdPrograms {
  readonly etcd: string;
  readonly etcdctl: string;
}

/** A running etcd. */
export interface DevEtcd extends EtcdPrograms {
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  readonly process: ChildProcess;
  /** Ends the process; the data stays, and {@link DevEtcd.restart} goes on with it. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const INSTALL_HINT =
  "install etcd (Debian: apt-get install etcd-server etcd-client), or set KEYTURN_ETCD_BIN to its folder";

/**
 * Finds etcd and etcdctl: in `KEYTURN_ETCD_BIN` (a folder, or the etcd program), else on the PATH.
 *
 * @throws KeyturnError PROGRAM_MISSING that says what to install.
 */
export async function findEtcd(env: NodeJS.ProcessEnv = process.env): Promise<EtcdPrograms> {
  const { KEYTURN_ETCD_BIN: named, PATH = "" } = env;
  const folders = named ? [await folderOf(named)] : PATH.split(delimiter);
  const find = async (program: string): Promise<string> => {
    for (const folder of folders) {
      const path = join(folder, program);
      if (await isExecutable(path)) return path;
    }
    const where = named ? `KEYTURN_ETCD_BIN (${named})` : "the PATH";
    throw new KeyturnError("PROGRAM_MISSING", `there is no ${program} in ${where}: ${INSTALL_HINT}`);
  };
  return { etcd: await find("etcd"), etcdctl: await find("etcdctl") };
}

/**
 * Starts a single member with a new data folder on free ports of 127.0.0.1.
 *
 * @throws KeyturnError PROGRAM_MISSING, PROGRAM_FAILED.
 */
export async function startEtcd(extraArguments: readonly string[] = []): Promise<DevEtcd> {
  const programs = await findEtcd();
  const dataDir = await mkdtemp(join(tmpdir(), "keyturn-etcd-"));
  const [clientPort, peerPort] = await freePorts(2);
  const endpoint = `http://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const argv = [
    ...["--name", "dev", "--data-dir", dataDir, "--log-level", "error"],
    ...["--listen-client-urls", endpoint, "--advertise-client-urls", endpoint],
    ...[
      "--listen-peer-urls",
      peer,
      "--initial-advertise-peer-urls",
      peer,
      "--initial-cluster",
      `dev=${peer}`,
    ],
    ...extraArguments,
  ];
  let child = await start();

  async function start(): Promise<ChildProcess> {
    // A group of its own: Ctrl-C on the terminal is for us, who end it in order.
    const started = spawn(programs.etcd, argv, { stdio: "ignore", detached: true });
    await untilHealthy(started, endpoint);
    return started;
  }
  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
  return {
    ...programs,
    endpoint,
    get process() {
      return child;
    },
    kill,
    restart: async () => {
      child = await start();
    },
    stop: async () => {
      await kill();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Ports of 127.0.0.1 that are free now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function untilHealthy(child: ChildProcess, endpoint: string): Promise<void> {
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  while (failure === undefined && child.exitCode === null && !deadline.aborted) {
    if (await isHealthy(endpoint)) return;
    await systemClock.sleep(20, deadline);
  }
  child.kill("SIGKILL");
  const why =
    failure?.message ?? (child.exitCode === null ? "it does not answer" : `it ended with ${child.exitCode}`);
  throw new KeyturnError("PROGRAM_FAILED", `etcd did not start on ${endpoint}: ${why}`);
}

async function isHealthy(endpoint: string): Promise<boolean> {
  try {
    const answer = await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(1_000) });
    return answer.ok;
  } catch {
    // Not up yet; the caller has the deadline.
    return false;
  }
}

async function folderOf(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => true,
  );
  return isFolder ? path : dirname(path);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
