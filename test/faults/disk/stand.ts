/** A daemon with one bundle that is live, an etcd, and a service that serves it: where each fault of a disk begins. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type TestDaemon, useDaemon } from "../../support/daemon.ts";
import { type TestEtcd, useEtcd } from "../../support/etcd.ts";
import { type BundlePems, createBundleMaker } from "../../support/pki.ts";
import { until } from "../../support/wait.ts";
import { useWitness, type Witness } from "../../support/witness.ts";

/** Where a fault begins. */
export interface DiskStand {
  readonly etcd: TestEtcd;
  readonly service: Witness;
  readonly daemon: TestDaemon;
  /** The folder of the bundle `inference`. */
  readonly dir: string;
  /** What was put first, and is live. */
  readonly first: BundlePems;
  /** Puts new content for the bundle; gives it. */
  put(): Promise<BundlePems>;
  /** Waits until the daemon calls this content live, and the service serves it. */
  untilServed(pems: BundlePems): Promise<void>;
}

/** Settings of such a daemon. */
interface DiskSettings {
  readonly output?: { readonly dir?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/**
 * Starts it all; it is ended when the test is over.
 *
 * @param through Words that run the daemon, such as those that make it another user.
 */
export async function useDiskStand(
  t: TestContext,
  folder: string,
  { output = {}, ...others }: DiskSettings = {},
  through: readonly string[] = [],
): Promise<DiskStand> {
  const [etcd, pki, service] = await Promise.all([useEtcd(t), createBundleMaker(), useWitness(t)]);
  const settings = {
    etcd: { endpoints: [etcd.endpoint] },
    services: [service.settings],
    ...others,
    output: { auditEvery: "200ms", ...output },
  };
  const daemon = await useDaemon(t, folder, settings, {}, through);
  const put = async () => {
    const pems = await pki.make();
    await etcd.put("/certs/inference.pem", pems.whole);
    return pems;
  };
  const untilServed = async ({ leaf: { fingerprint256: fingerprint }, ca }: BundlePems) => {
    await until("it is live", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.live && bundle.generation?.leaf?.fingerprint256 === fingerprint;
    });
    await until("it is served", async () => (await service.served(ca)) === fingerprint);
  };
  const first = await put();
  await untilServed(first);
  return {
    etcd,
    service,
    daemon,
    dir: join(daemon.outputDir, "inference"),
    first,
    put,
    untilServed,
  };
}
