/** Bundles in as many states as there are, made by a real daemon: what the page is photographed with, and tested. */
import { freePorts } from "../../../src/dev/etcd.ts";
import type { BundleState } from "../../../src/observe/status.ts";
import type { Scope } from "../../support/scope.ts";
import { useTlsService } from "../../support/tls-service.ts";
import { until } from "../../support/wait.ts";
import { type Stand, useStand } from "./stand.ts";

/** Sets it up; every bundle is in its state when this resolves. */
export async function useFleet(t: Scope): Promise<Stand> {
  const edge = await useTlsService(t);
  const [nobody] = await freePorts(1);
  const stand = await useStand(t, {
    services: [
      {
        name: "edge",
        stage: 2,
        bundles: ["chat", "vision"],
        notify: { none: {} },
        verify: { tls: { address: `127.0.0.1:${edge.port}`, within: "5s", bundles: ["chat"] }, every: "1h" },
      },
      {
        name: "batch-runner",
        bundles: ["batch"],
        notify: { http: { url: `http://127.0.0.1:${nobody}/`, attempts: 1 } },
      },
    ],
  });
  const { etcd, bundle, refused } = stand;
  const put = (name: string, value: string) => etcd.put(`/certs/${name}.pem`, value);
  const label = (name: string, labels: object) =>
    etcd.put(`/certs/${name}/meta.json`, JSON.stringify({ labels }));

  // Certificates are looked at every minute, and at the start.
  await put("embeddings", bundle("embeddings", { from: -57, until: 3 }).whole);
  await untilState(stand, "live", ["embeddings"]);
  await stand.daemon.stop();
  const daemon = await stand.restart();
  await until(
    "embeddings is warned of",
    async () => (await daemon.bundle("embeddings"))?.expiring?.threshold,
  );

  const chat = bundle("chat", {
    until: 61,
    names: ["chat.gpu.local", "*.chat.gpu.local", "10.20.0.17"],
  });
  edge.serve({ chain: chat.chain, key: chat.key });
  await label("chat", { model_version: "3.3-70b", inference_type: "chat" });
  await put("chat", chat.whole);
  await put("vision", bundle("vision", { until: 44 }).whole);
  await label("vision", { inference_type: "image" });
  await put("speech", bundle("speech", { from: -20, until: 70 }).whole);
  await put("mesh-trust", bundle("mesh-trust").ca);
  await put("moderation", bundle("moderation", { until: 25 }).whole);
  await put("reranker", bundle("reranker", { until: 18 }).whole);
  await put("batch", bundle("batch", { until: 80 }).whole);
  await untilState(stand, "live", [
    "chat",
    "vision",
    "speech",
    "mesh-trust",
    "embeddings",
    "moderation",
    "reranker",
  ]);

  refused.add("reranker");
  await put("reranker", bundle("reranker").whole);
  const expired = bundle("moderation", { from: -30, until: -1 });
  await put("moderation", expired.chain + bundle("moderation").key + expired.ca);
  const early = bundle("translate");
  await etcd.putTogether({ "/certs/translate/tls.crt": early.chain, "/certs/translate/ca.crt": early.ca });
  await untilState(stand, "rolledBack", ["reranker"]);
  await untilState(stand, "rejected", ["moderation"]);
  await untilState(stand, "current", ["batch"]);
  await until("translate is overdue", async () => (await stand.daemon.bundle("translate"))?.overdue);
  return stand;
}

async function untilState({ daemon }: Stand, state: BundleState, names: readonly string[]): Promise<void> {
  await until(`${names.join(", ")}: ${state}`, async () => {
    const { bundles } = await daemon.status();
    return names.every((name) => bundles.find((one) => one.name === name)?.state === state);
  });
}
