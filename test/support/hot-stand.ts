/** What an end-to-end test of the library works with: etcd, the daemon, and a service of the examples that follows. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { useDaemon } from "./daemon.ts";
import { useEtcd } from "./etcd.ts";
import { useExampleService } from "./example.ts";
import { useFolder } from "./folder.ts";
import { createBundleMaker } from "./pki.ts";
import { until } from "./wait.ts";
import { writeSecret } from "./webhook-secret.ts";

/** The name that every bundle is for. */
const SERVER_NAME = "inference.local";
const WORDS = ["keys", "turn", "while", "tokens", "stream", "on"];

/** What the examples stream. */
export function tokensOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => String(WORDS[at % WORDS.length]));
}

/** Sets it up, with a first bundle that is live. */
export async function useHotStand(t: TestContext, example: "inference" | "grpc") {
  const [etcd, folder, pki] = await Promise.all([useEtcd(t), useFolder(t), createBundleMaker()]);
  const { secretFile } = await writeSecret(folder);
  const env = { BUNDLE_DIR: join(folder, "output", "inference"), SERVER_NAME };
  const service = await useExampleService(t, example, { ...env, HOOK_SECRET_FILE: secretFile });
  const probe = { address: `127.0.0.1:${service.port}`, serverName: SERVER_NAME, bundles: ["inference"] };
  const daemon = await useDaemon(t, folder, {
    etcd: { endpoints: [etcd.endpoint] },
    services: [
      {
        name: "inference",
        bundles: ["inference"],
        notify: { http: { url: service.hookUrl, secretFile } },
        verify: { tls: example === "grpc" ? { ...probe, clientBundle: "inference" } : probe },
      },
    ],
  });
  const target = { port: service.port, serverName: SERVER_NAME, ca: pki.root.certificatePem };
  const rotate = async () => {
    const { leaf, whole } = await pki.make();
    await etcd.put("/certs/inference.pem", whole);
    await until("it is live", async () => {
      const found = await daemon.bundle("inference");
      return found?.state === "live" && found.generation?.leaf?.fingerprint256 === leaf.fingerprint256;
    });
    return leaf.fingerprint256;
  };
  const metric = async (line: RegExp) => line.exec(await (await fetch(service.metricsUrl)).text())?.[1];
  return { etcd, pki, env, service, daemon, target, rotate, metric, first: await rotate() };
}
