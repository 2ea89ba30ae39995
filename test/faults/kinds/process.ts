/** Faults of the daemon's own processes. */
import type { Fault } from "../bench/fault.ts";

const ANYWHERE = () => true;

export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: "the daemon is killed (SIGKILL) and started again",
    group: "process",
    weight: 8,
    fits: ANYWHERE,
    inject: async ({ node }, { linger }) => {
      await linger(200);
      await node.kill();
      await node.start();
    },
  },
  {
    name: "the daemon is killed soon after its start, again and again",
    group: "process",
    weight: 3,
    fits: ANYWHERE,
    inject: async ({ node }, { dice, linger }) => {
      for (let left = dice.between(2, 4); left > 0; left--) {
        await node.kill();
        await node.start();
        await linger(120);
      }
    },
  },
  {
    name: "the daemon is asked to end (SIGTERM) and started again",
    group: "process",
    weight: 4,
    fits: ANYWHERE,
    inject: async ({ node }, { linger }) => {
      await linger(100);
      await node.stop();
      await node.start();
    },
  },
  {
    name: "the daemon is stopped (SIGSTOP) and goes on",
    group: "process",
    weight: 3,
    fits: ANYWHERE,
    inject: async ({ node }, { linger }) => {
      node.signal("SIGSTOP");
      await linger(2_000, 20_000);
      node.signal("SIGCONT");
    },
  },
  {
    name: "the daemon is told to read its configuration again (SIGHUP), twice",
    group: "process",
    weight: 3,
    fits: ANYWHERE,
    inject: async ({ node }, { linger }) => {
      node.signal("SIGHUP");
      await linger(150);
      node.signal("SIGHUP");
    },
  },
  {
    name: "the process that makes handshakes is killed",
    group: "process",
    weight: 4,
    fits: ANYWHERE,
    inject: async ({ node }) => {
      for (const pid of node.children()) process.kill(pid, "SIGKILL");
    },
  },
  {
    name: "the process that makes handshakes is stopped (SIGSTOP) and goes on",
    group: "process",
    weight: 2,
    fits: ANYWHERE,
    inject: async ({ node }, { linger }) => {
      const children = node.children();
      for (const pid of children) process.kill(pid, "SIGSTOP");
      await linger(1_000, 20_000);
      // One that hung for too long was replaced.
      const left = new Set(node.children());
      for (const pid of children) if (left.has(pid)) process.kill(pid, "SIGCONT");
    },
  },
  {
    name: "the daemon starts while etcd is away",
    group: "process",
    weight: 3,
    fits: ANYWHERE,
    inject: async ({ node, links }, { linger }) => {
      await Promise.all(links.map((link) => link.set("refuse")));
      await node.kill();
      await node.start();
      await linger(1_000, 60_000);
      await Promise.all(links.map((link) => link.set("pass")));
    },
  },
];
