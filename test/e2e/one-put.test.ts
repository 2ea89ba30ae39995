import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useDaemon } from "../support/daemon.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { useHookReceiver } from "../support/hook-receiver.ts";
import { createBundleMaker } from "../support/pki.ts";

describe("one put", () => {
  it("is one rotation", async (t) => {
    const [etcd, folder, receiver, pki] = await Promise.all([
      useEtcd(t),
      useFolder(t),
      useHookReceiver(t),
      createBundleMaker(),
    ]);
    const services = [{ name: "vllm", bundles: ["inference"], notify: { http: { url: receiver.url } } }];
    const daemon = await useDaemon(t, folder, { etcd: { endpoints: [etcd.endpoint] }, services });
    const { whole } = await pki.make();

    await etcd.put("/certs/inference.pem", whole);
    await daemon.untilLive("inference");

    assert.equal(receiver.hooks.length, 1);
  });
});
