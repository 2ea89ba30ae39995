/** A real daemon with a real etcd for the tests of the status page, and bundles in as many states as there are. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePorts } from "../../../src/dev/etcd.ts";
import { type TestDaemon, useDaemon } from "../../support/daemon.ts";
import { type TestEtcd, useEtcd } from "../../support/etcd.ts";
import { useFolder } from "../../support/folder.ts";
import { useHookReceiver } from "../../support/hook-receiver.ts";
import { type Minted, mint, mintAuthority } from "../../support/mint.ts";
import type { Scope } from "../../support/scope.ts";

/** The token of the daemon's admin server. */
export const TOKEN = "open sesame";

/** What a test works with. */
export interface Stand {
  readonly etcd: TestEtcd;
  /** The one that was started last. */
  readonly daemon: TestDaemon;
  /** Makes a bundle of one value, for 30 days where nothing else is said. */
  bundle(
    name: string,
    wish?: { readonly from?: number; readonly until?: number; readonly names?: readonly string[] },
  ): Material;
  /** Bundles whose service `engine` refuses them from now on. */
  readonly refused: Set<string>;
  /** Starts the daemon again, on the same port. */
  restart(): Promise<TestDaemon>;
}

/** A bundle before it is put. */
interface Material {
  readonly leaf: Minted;
  readonly whole: string;
  readonly chain: string;
  readonly key: string;
  readonly ca: string;
}

/** Sets it up: a service `engine` that takes hooks for every bundle but those of the services that are given. */
export async function useStand(
  t: Scope,
  {
    services = [],
    hasToken = true,
    concurrency = 1,
  }: { services?: readonly object[]; hasToken?: boolean; concurrency?: number } = {},
): Promise<Stand> {
  const [etcd, folder, ports] = await Promise.all([useEtcd(t), useFolder(t), freePorts(1)]);
  const refused = new Set<string>();
  const receiver = await useHookReceiver(t, {
    answer: ({ event }, respond) => {
      const isRefused = event.data.reason === "rotated" && refused.has(event.data.bundle);
      respond.writeHead(isRefused ? 422 : 204).end();
    },
  });
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const listen = `127.0.0.1:${ports[0]}`;
  const engine = { name: "engine", bundles: ["*"], notify: { http: { url: receiver.url, attempts: 2 } } };
  const settings = {
    node: "gpu-017",
    queue: { concurrency },
    etcd: { endpoints: [etcd.endpoint] },
    admin: hasToken ? { listen, tokenFile } : { listen },
    checks: { settle: "100ms" },
    services: [engine, ...services],
  };
  const authority = mintAuthority("Inference Root");
  let daemon = await useDaemon(t, folder, settings);
  return {
    etcd,
    get daemon() {
      return daemon;
    },
    refused,
    restart: async () => {
      daemon = await useDaemon(t, folder, settings);
      return daemon;
    },
    bundle: (name, wish = {}) => {
      const { names = [`${name}.gpu.local`], ...times } = wish;
      const leaf = mint({ subject: names[0] ?? name, issuer: authority, names, ...times });
      const [chain, key, ca] = [leaf.pem, leaf.keyPem, authority.pem];
      return { leaf, chain, key, ca, whole: chain + key + ca };
    },
  };
}
