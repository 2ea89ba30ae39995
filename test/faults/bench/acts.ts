/** The acts of a run: each has another etcd. */
import { join } from "node:path";
import { useEtcd } from "../../support/etcd.ts";
import { useEtcdCluster } from "../../support/etcd-cluster.ts";
import { AS_ROOT, useGuardedEtcd } from "../../support/guarded-etcd.ts";
import type { Scope } from "../../support/scope.ts";
import { useSmallDisk } from "../../support/small-disk.ts";
import { type TcpProxy, useTcpProxy } from "../../support/tcp-proxy.ts";
import { useEtcdWriter } from "./etcd-writer.ts";
import type { EtcdSide } from "./stand.ts";

/** One act. */
export interface Act {
  readonly title: string;
  /** Its share of the time of a run. */
  readonly share: number;
  setUp(scope: Scope, folder: string): Promise<EtcdSide>;
}

const NOTHING = { single: null, cluster: null, guarded: null, smallDisk: null };
const RESYNC = { resyncEvery: "30s" };

export const ACTS: readonly Act[] = [
  {
    title: "one member of etcd",
    share: 0.5,
    setUp: async (scope, folder) => {
      const etcd = await useEtcd(scope);
      const links = await linksTo(scope, [etcd.endpoint]);
      const etcdWriter = useEtcdWriter(scope, [etcd.endpoint]);
      const settings = { etcd: { endpoints: endpointsOf(links), ...RESYNC } };
      const outputDir = join(folder, "output");
      return { ...NOTHING, outputDir, single: { etcd }, links, etcdWriter, settings };
    },
  },
  {
    title: "three members of etcd, four reloads at a time",
    share: 0.25,
    setUp: async (scope, folder) => {
      const cluster = await useEtcdCluster(scope);
      const endpoints = cluster.map(({ endpoint }) => endpoint);
      const links = await linksTo(scope, endpoints);
      const etcdWriter = useEtcdWriter(scope, endpoints);
      const settings = { etcd: { endpoints: endpointsOf(links), ...RESYNC }, queue: { concurrency: 4 } };
      const outputDir = join(folder, "output");
      return { ...NOTHING, outputDir, cluster, links, etcdWriter, settings };
    },
  },
  {
    title: "an etcd with users, and a small disk under the output folder",
    share: 0.25,
    setUp: async (scope, folder) => {
      const smallDisk = (await useSmallDisk(scope, folder, { kib: 16_384, inodes: 8_192 })) ?? null;
      const outputDir = join(smallDisk?.path ?? folder, "output");
      const guarded = await useGuardedEtcd(scope, ["--auth-token-ttl", "5"]);
      const links = await linksTo(scope, [guarded.etcd.endpoint]);
      const etcdWriter = useEtcdWriter(scope, [guarded.etcd.endpoint], AS_ROOT);
      const { username, passwordFile } = guarded.access;
      const access = { endpoints: endpointsOf(links), username, passwordFile, resyncEvery: "6s" };
      return { ...NOTHING, outputDir, guarded, smallDisk, links, etcdWriter, settings: { etcd: access } };
    },
  },
];

async function linksTo(
  scope: Scope,
  endpoints: readonly string[],
): Promise<readonly [TcpProxy, ...TcpProxy[]]> {
  const ports = endpoints.map((endpoint) => Number(new URL(endpoint).port));
  const [first, ...others] = await Promise.all(ports.map((port) => useTcpProxy(scope, port)));
  if (first === undefined) throw new Error("an etcd has one endpoint at least");
  return [first, ...others];
}

function endpointsOf(links: readonly TcpProxy[]): string[] {
  return links.map(({ endpoint }) => endpoint);
}
