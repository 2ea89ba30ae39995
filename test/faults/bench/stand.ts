/** What one act of a run works with: etcd, the links to it, a node, services, a writer, readers and a judge. */
import type { TestEtcd } from "../../support/etcd.ts";
import type { Member } from "../../support/etcd-cluster.ts";
import type { GuardedEtcd } from "../../support/guarded-etcd.ts";
import type { Scope } from "../../support/scope.ts";
import type { SmallDisk } from "../../support/small-disk.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";
import { until } from "../../support/wait.ts";
import { createAuthorities, createContentMaker, type Shape } from "./content.ts";
import type { EtcdWriter } from "./etcd-writer.ts";
import { createJudge, type Judge } from "./judge.ts";
import { createLine, type Line } from "./line.ts";
import { type NodeUnderTest, useNode } from "./node.ts";
import { type ServiceUnderTest, useServiceUnderTest } from "./service.ts";
import { startWriting, type Writing } from "./writer.ts";

/** Everything a fault may touch. What an act does not have is null. */
export interface Stand {
  readonly node: NodeUnderTest;
  readonly services: readonly ServiceUnderTest[];
  /** Between the node and each member of etcd. */
  readonly links: readonly [TcpProxy, ...TcpProxy[]];
  readonly writing: Writing;
  readonly etcdWriter: EtcdWriter;
  readonly judge: Judge;
  /** Bundles whose files no reader reads, so that files may be damaged. */
  readonly spare: readonly string[];
  /** A single member, or its successor after a restore. */
  readonly single: { etcd: TestEtcd } | null;
  readonly cluster: readonly Member[] | null;
  readonly guarded: GuardedEtcd | null;
  /** A small file system of its own under the output folder. */
  readonly smallDisk: SmallDisk | null;
  /** Starts what lives as long as the act. */
  readonly scope: Scope;
}

/** The etcd side of a stand. */
export interface EtcdSide
  extends Pick<Stand, "links" | "etcdWriter" | "single" | "cluster" | "guarded" | "smallDisk"> {
  readonly outputDir: string;
  /** Settings of the node that belong to it. */
  readonly settings: { readonly etcd: object; readonly [key: string]: unknown };
}

/** Bundles by service; a service serves its own by their server names. */
const SERVICES: Readonly<Record<string, Readonly<Record<string, Shape>>>> = {
  chat: { "chat-7b": "whole", "chat-70b": "parts", "chat-trust": "trust" },
  embeddings: { small: "whole", large: "parts" },
  router: { edge: "whole", mesh: "parts", spare: "whole", "spare-parts": "parts" },
};
/** Nobody is told of these. */
const UNUSED: Readonly<Record<string, Shape>> = { batch: "whole", roots: "trust" };
const SPARE = ["spare", "spare-parts"];
/** Bundles that a reader reads: those with a key, and whose files nothing damages. */
export const READ = ["chat-7b", "chat-70b", "small", "large", "edge", "mesh", "batch"];

/** Sets the node and everything around it up, and waits until every bundle was live once. */
export async function setUpStand(scope: Scope, folder: string, side: EtcdSide, seed: number): Promise<Stand> {
  const { outputDir } = side;
  const services = await Promise.all(
    Object.entries(SERVICES).map(([name, bundles]) =>
      useServiceUnderTest(scope, name, outputDir, Object.keys(bundles)),
    ),
  );
  const authorities = createAuthorities();
  const shapes = Object.assign({}, UNUSED, ...Object.values(SERVICES)) as Record<string, Shape>;
  const lines: Line[] = Object.entries(shapes).map(([name, shape]) =>
    createLine(createContentMaker(name, shape, authorities)),
  );
  const node = await useNode(scope, folder, {
    ...side.settings,
    output: { dir: outputDir, auditEvery: "2s" },
    checks: { minRemaining: "1m" },
    services: services.map(({ settings }) => settings),
  });
  const judge = createJudge(lines, node, services);
  for (const service of services) service.onHook = (seen) => judge.note(service, seen);
  const never = new AbortController().signal;
  for (const line of lines) {
    const content = line.maker.good();
    await side.etcdWriter.put(line.maker.keys, content, never);
    line.note(content);
  }
  const lost = await judge.settle(judge.due());
  if (lost.length > 0) throw new Error(`the stand did not come up: ${lost.join("\n")}`);
  await until("the node is ready", () => node.isReady());
  const writing = startWriting(scope, lines, side.etcdWriter, seed);
  return { ...side, node, services, writing, judge, spare: SPARE, scope };
}
