/** A real daemon, with services, on which every kind of thing has happened that a dashboard or an alert is about. */
import { appendFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { notificationOf } from "./alerts.ts";
import { type DaemonSettings, useDaemon } from "./daemon.ts";
import { useEtcd } from "./etcd.ts";
import { useExampleService } from "./example.ts";
import { useFolder } from "./folder.ts";
import { useHookReceiver } from "./hook-receiver.ts";
import { createBundleMaker } from "./pki.ts";
import { useTlsService } from "./tls-service.ts";
import { until } from "./wait.ts";

const TOKEN = "let-me-in";
/** Long enough to go live, short enough to be waited for. */
const SHORT_LIFE_MS = 8_000;

/**
 * Starts it. `inference` is served by a real service; a service refuses every newer `ranking`; one serves another
 * `embeddings` than the current one; `chat` has bad content; `short` expires.
 *
 * @param settings Of the daemon, in place of its own.
 */
export async function useEventfulNode(t: TestContext, settings: DaemonSettings = {}) {
  const [etcd, folder, pki] = await Promise.all([useEtcd(t), useFolder(t), createBundleMaker()]);
  const embeddings = await pki.make("embeddings.local");
  const env = { BUNDLE_DIR: join(folder, "output/inference"), MAX_STREAMS: "0" };
  const [engine, deaf, stubborn] = await Promise.all([
    useExampleService(t, "inference", env),
    useTlsService(t, embeddings),
    useHookReceiver(t, {
      answer: ({ event: { data } }, respond) => {
        const isFirst = data.generation.startsWith("000001");
        respond.writeHead(isFirst || data.reason === "rolledBack" ? 204 : 422).end();
      },
    }),
  ]);
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const look = (port: number) => ({ tls: { address: `127.0.0.1:${port}`, within: "1s" }, every: "1s" });
  const daemon = await useDaemon(t, folder, {
    etcd: { endpoints: [etcd.endpoint], resyncEvery: "1s" },
    output: { auditEvery: "1s" },
    checks: { minRemaining: "0s" },
    services: [
      {
        name: "engine",
        bundles: ["inference"],
        notify: { http: { url: engine.hookUrl } },
        verify: look(engine.port),
      },
      { name: "stubborn", bundles: ["ranking"], notify: { http: { url: stubborn.url } } },
      { name: "deaf", bundles: ["embeddings"], notify: { none: {} }, verify: look(deaf.port) },
    ],
    alerts: { rules: [{ alert: "KeyturnContentQuarantined", do: "retry", cooldown: "0s" }] },
    admin: { listen: "127.0.0.1:0", tokenFile },
    ...settings,
  });
  const put = async (name: string) => etcd.put(`/certs/${name}.pem`, (await pki.make(`${name}.local`)).whole);

  const labels = { model_version: "7b-instruct", inference_type: "chat" };
  await etcd.put("/certs/inference/meta.json", JSON.stringify({ labels }));
  await Promise.all([put("inference"), put("ranking"), put("chat")]);
  await etcd.put("/certs/embeddings.pem", embeddings.whole);
  const short = await pki.intermediate.issue(["short.local"], SHORT_LIFE_MS);
  const chain = short.certificatePem + pki.intermediate.certificatePem;
  await etcd.put("/certs/short.pem", chain + short.privateKeyPem + pki.root.certificatePem);
  for (const name of ["inference", "ranking", "chat", "embeddings", "short"]) await daemon.untilLive(name);

  return {
    daemon,
    etcd,
    engine,
    folder,
    tokenFile,
    put,
    /** Lets everything happen, and returns when all of it has. A scrape of before sees the counters rise. */
    happen: async () => {
      // Another certificate than the current one; bad content; one that the service refuses.
      deaf.serve(await pki.make("embeddings.local"));
      const [one, other] = await Promise.all([pki.make("chat.local"), pki.make("chat.local")]);
      await etcd.put("/certs/chat.pem", one.chain + other.key + one.ca);
      await put("ranking");
      await until("ranking went back", async () => (await daemon.bundle("ranking"))?.quarantine?.digest);
      await appendFile(join(daemon.outputDir, "inference/tls.crt"), "# somebody was here\n");
      await until("the file was put right", async () => (await daemon.bundle("inference"))?.drift?.at);
      await send(daemon.adminUrl, "ranking");
      await until(
        "it was tried again",
        async () => (await daemon.bundle("ranking"))?.alerts[0]?.result === "failed",
      );
      await until("another certificate is seen", async () =>
        (await daemon.bundle("embeddings"))?.served.some(({ matches }) => !matches),
      );
      await until("chat is rejected", async () => (await daemon.bundle("chat"))?.state === "rejected");
    },
    /** Rotates `inference` once more, and asks its service for answers that it gives and that it does not. */
    goOn: async () => {
      await put("inference");
      await ask(engine.port, "/");
      await ask(engine.port, "/stream");
    },
    /** Asks the service of `inference` for an answer that it does not give. */
    fail: () => ask(engine.port, "/stream"),
  };
}

/** An alert about this node, that fires now. */
async function send(adminUrl: string, bundle: string): Promise<void> {
  const labels = { alertname: "KeyturnContentQuarantined", bundle, instance: "test-node" };
  const answer = await fetch(`${adminUrl}/-/alerts`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify(notificationOf({ labels })),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

function ask(port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path, rejectUnauthorized: false, agent: false },
      (answer) => {
        answer.resume();
        answer.on("end", resolve);
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}
