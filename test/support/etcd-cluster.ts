/** A real cluster of three etcd members, each of which can be stopped, woken, killed, and cut off from the others. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { findEtcd, freePorts } from "../../src/dev/etcd.ts";
import { useFolder } from "./folder.ts";
import { usePeerLinks } from "./peer-links.ts";
import type { Scope } from "./scope.ts";
import { until } from "./wait.ts";

/** One member. */
export interface Member {
  readonly endpoint: string;
  /** Stops it where it is, as a machine that hangs. */
  freeze(): void;
  /** Lets it go on. */
  wake(): void;
  kill(): Promise<void>;
  /** Starts it again on its data. */
  restart(): Promise<void>;
  /** Cuts every link between it and the other members; clients still reach it. */
  isolate(): void;
  /** Lets it talk to the others again. */
  rejoin(): void;
  /** Whether it leads the cluster, by its own word. */
  leads(): Promise<boolean>;
}

/** Starts three members that are ended when the test is over. */
export async function useEtcdCluster(t: Scope): Promise<readonly Member[]> {
  const [{ etcd }, folder, ports] = await Promise.all([findEtcd(), useFolder(t), freePorts(6)]);
  const places = await Promise.all(
    [0, 1, 2].map(async (index) => {
      const links = await usePeerLinks(t, ports[index + 3] ?? 0);
      return { index, endpoint: urlOf(ports[index]), listen: urlOf(ports[index + 3]), links };
    }),
  );
  const cluster = places.map(({ index, links }) => `${nameOf(index)}=${urlOf(links.port)}`).join();
  const members = await Promise.all(
    places.map(({ index, endpoint, listen, links }) => {
      const argv = [
        ...["--name", nameOf(index), "--data-dir", join(folder, nameOf(index)), "--log-level", "error"],
        ...["--listen-client-urls", endpoint, "--advertise-client-urls", endpoint],
        ...["--listen-peer-urls", listen, "--initial-advertise-peer-urls", urlOf(links.port)],
        ...["--initial-cluster", cluster],
      ];
      return startMember(t, endpoint, [etcd, ...argv]);
    }),
  );
  await Promise.all(members.map(({ endpoint }) => untilHealthy(endpoint)));
  const ids = await Promise.all(members.map(({ endpoint }) => statusOf(endpoint).then(({ id }) => id)));
  return members.map((member, index) => {
    const others = places.filter((place) => place.index !== index);
    const id = ids[index] ?? "";
    return Object.assign(member, {
      isolate: () => {
        places[index]?.links.shut("*");
        for (const { links } of others) links.shut(id);
      },
      rejoin: () => {
        places[index]?.links.open("*");
        for (const { links } of others) links.open(id);
      },
    });
  });
}

async function startMember(t: Scope, endpoint: string, [program, ...argv]: readonly [string, ...string[]]) {
  const start = () => spawn(program, argv, { stdio: "ignore", detached: true });
  let child = start();
  t.after(() => end(child));
  return {
    endpoint,
    freeze: () => void child.kill("SIGSTOP"),
    wake: () => void child.kill("SIGCONT"),
    kill: () => end(child),
    restart: async () => {
      child = start();
      await untilHealthy(endpoint);
    },
    leads: async () => {
      const { id, leader } = await statusOf(endpoint);
      return id === leader;
    },
  };
}

function nameOf(index: number): string {
  return `member-${index}`;
}

function urlOf(port = 0): string {
  return `http://127.0.0.1:${port}`;
}

/** Its own id and that of its leader, in decimal as its gateway writes them. */
async function statusOf(endpoint: string): Promise<{ readonly id: string; readonly leader: string }> {
  const answer = await fetch(`${endpoint}/v3/maintenance/status`, { method: "POST", body: "{}" });
  const { header, leader } = (await answer.json()) as { header: { member_id: string }; leader?: string };
  return { id: header.member_id, leader: leader ?? "" };
}

async function untilHealthy(endpoint: string): Promise<void> {
  await until("the member is healthy", () =>
    fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(2_000) }).then(
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
