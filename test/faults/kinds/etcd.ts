/** Faults of etcd itself. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type TestEtcd, useEtcd } from "../../support/etcd.ts";
import type { Member } from "../../support/etcd-cluster.ts";
import { useFolder } from "../../support/folder.ts";
import { until } from "../../support/wait.ts";
import type { Fault } from "../bench/fault.ts";
import type { Stand } from "../bench/stand.ts";

const run = promisify(execFile);
const NEVER = new AbortController().signal;

export const ETCD_FAULTS: readonly Fault[] = [
  {
    name: "etcd is killed and started again",
    group: "etcd",
    weight: 6,
    fits: ({ single }) => single !== null,
    inject: async ({ single }, { linger }) => {
      await single?.etcd.kill();
      await linger(800);
      await single?.etcd.restart();
    },
  },
  {
    name: "etcd is stopped (SIGSTOP) and goes on",
    group: "etcd",
    weight: 4,
    fits: ({ single }) => single !== null,
    inject: async ({ single }, { linger }) => {
      single?.etcd.process.kill("SIGSTOP");
      await linger(2_000, 60_000);
      single?.etcd.process.kill("SIGCONT");
    },
  },
  {
    name: "the revision to resume from is compacted, with deletes in the gap",
    group: "etcd",
    weight: 5,
    fits: ({ cluster }) => cluster === null,
    inject: async ({ links, writing, etcdWriter }, { linger }) => {
      await Promise.all(links.map((link) => link.set("refuse")));
      const before = writing.count();
      await until("the gap has some writes", () => writing.count() > before + 15);
      await linger(300);
      await etcdWriter.compact(NEVER);
      await Promise.all(links.map((link) => link.set("pass")));
    },
  },
  {
    name: "etcd is restored from an older backup",
    group: "etcd",
    weight: 2,
    fits: ({ single }) => single !== null,
    inject: async (stand, { linger }) => {
      const backup = join(await useFolder(stand.scope), "backup");
      await callEtcdctl(stand, "--endpoints", etcdOf(stand).endpoint, "snapshot", "save", backup);
      await linger(800);
      await stand.writing.pause();
      const dataDir = `${backup}-restored`;
      await callEtcdctl(stand, "snapshot", "restore", backup, "--data-dir", dataDir);
      await rm(backup);
      await succeed(stand, ["--data-dir", dataDir]);
      await stand.writing.adopt(NEVER);
    },
  },
  {
    name: "the data of etcd is wiped, and everything is put again",
    group: "etcd",
    weight: 1,
    fits: ({ single }) => single !== null,
    inject: async (stand, { linger }) => {
      await stand.writing.pause();
      await succeed(stand, []);
      await linger(800);
      await stand.writing.repeatAll(NEVER);
    },
  },
  ...clusterFaults(),
];

/** Faults of one member of three; the others go on where they are enough. */
function clusterFaults(): readonly Fault[] {
  const fits = ({ cluster }: Stand) => cluster !== null;
  return [
    {
      name: "the leader of three members is killed, and comes back",
      group: "etcd",
      weight: 5,
      fits,
      inject: async ({ cluster }, { linger }) => {
        const leader = await leaderOf(cluster ?? []);
        await leader.kill();
        await linger(3_000, 20_000);
        await leader.restart();
      },
    },
    {
      name: "one of three members is isolated from the others, clients reach it",
      group: "etcd",
      weight: 5,
      fits,
      inject: async ({ cluster }, { dice, linger }) => {
        const [first, ...others] = cluster ?? [];
        if (first === undefined) return;
        const member = dice.pick([first, ...others]);
        member.isolate();
        await linger(4_000, 20_000);
        member.rejoin();
      },
    },
    {
      name: "two of three members hang: there is no quorum",
      group: "etcd",
      weight: 2,
      fits,
      inject: async ({ cluster }, { dice, linger }) => {
        const spared = dice.below(3);
        const hanging = cluster?.filter((_, index) => index !== spared) ?? [];
        for (const member of hanging) member.freeze();
        await linger(2_000, 20_000);
        for (const member of hanging) member.wake();
      },
    },
  ];
}

function etcdOf({ single }: Stand): TestEtcd {
  if (single === null) throw new Error("there is no single member on this stand");
  return single.etcd;
}

/** Another etcd in the place of the one that was there. */
async function succeed(stand: Stand, extraArguments: readonly string[]): Promise<void> {
  const before = etcdOf(stand);
  await stand.links[0].set("refuse");
  await before.stop();
  const etcd = await useEtcd(stand.scope, extraArguments);
  if (stand.single !== null) stand.single.etcd = etcd;
  stand.etcdWriter.moveTo([etcd.endpoint]);
  stand.links[0].pointAt(Number(new URL(etcd.endpoint).port));
  await stand.links[0].set("pass");
}

async function callEtcdctl(stand: Stand, ...words: readonly string[]): Promise<void> {
  await run(etcdOf(stand).etcdctl, words, { env: { ...process.env, ETCDCTL_API: "3" } });
}

async function leaderOf(cluster: readonly Member[]): Promise<Member> {
  return until("the cluster has a leader", async () => {
    for (const member of cluster) {
      const leads = await member.leads().catch(() => false);
      if (leads) return member;
    }
    return undefined;
  });
}
