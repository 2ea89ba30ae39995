/** A real cluster of three etcd members, each of which can be stopped and woken. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { findEtcd, freePorts } from "../../src/dev/etcd.ts";
import { useFolder } from "./folder.ts";
import { until } from "./wait.ts";

/** One member. */
export interface Member {
  readonly endpoint: string;
  /** Stops it where it is, as a machine that hangs. */
  freeze(): void;
  /** Lets it go on. */
  wake(): void;
}

/** Starts three members that are ended when the test is over. */
export async function useEtcdCluster(t: TestContext): Promise<readonly Member[]> {
  const [{ etcd }, folder, ports] = await Promise.all([findEtcd(), useFolder(t), freePorts(6)]);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const places = [0, 1, 2].map((index) => ({
    name: `member-${index}`,
    endpoint: urls[index] ?? "",
    peer: urls[index + 3] ?? "",
  }));
  const cluster = places.map(({ name, peer }) => `${name}=${peer}`).join();
  const members = places.map(({ name, endpoint, peer }) => {
    const argv = [
      ...[
        "--name",
        name,
        "--data-dir",
        join(folder, name),
        "--log-level",
        "error",
        "--initial-cluster",
        cluster,
      ],
      ...["--listen-client-urls", endpoint, "--advertise-client-urls", endpoint],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
    ];
    const child = spawn(etcd, argv, { stdio: "ignore" });
    t.after(() => end(child));
    return { endpoint, freeze: () => void child.kill("SIGSTOP"), wake: () => void child.kill("SIGCONT") };
  });
  await Promise.all(members.map(({ endpoint }) => untilHealthy(endpoint)));
  return members;
}

async function untilHealthy(endpoint: string): Promise<void> {
  await until("the member is healthy", () =>
    fetch(`${endpoint}/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
