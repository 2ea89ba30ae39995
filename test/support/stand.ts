/** What a daemon works with in an end-to-end test: an etcd, a folder, a service that takes hooks, and bundles to put. */
import type { TestContext } from "node:test";
import { useEtcd } from "./etcd.ts";
import { useFolder } from "./folder.ts";
import { type HookBehaviour, useHookReceiver } from "./hook-receiver.ts";
import { createBundleMaker } from "./pki.ts";

/** Sets it up, with the settings of a daemon whose service `vllm` uses every bundle. */
export async function useStand(t: TestContext, behaviour: HookBehaviour = {}) {
  const [etcd, folder, receiver, pki] = await Promise.all([
    useEtcd(t),
    useFolder(t),
    useHookReceiver(t, behaviour),
    createBundleMaker(),
  ]);
  const services = [{ name: "vllm", bundles: ["*"], notify: { http: { url: receiver.url } } }];
  return { etcd, folder, receiver, pki, settings: { etcd: { endpoints: [etcd.endpoint] }, services } };
}
