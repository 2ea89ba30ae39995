/** Everything that one configuration wires together; a new configuration is a new engine. */
import type { Config, ServiceConfig } from "./config/schema.ts";
import { messageOf } from "./core/errors.ts";
import type { Report } from "./core/events.ts";
import { matchesAny } from "./core/glob.ts";
import { deliver } from "./notify/http-hook.ts";
import { readCertificate } from "./preflight/certificate.ts";
import { rememberCertificates } from "./preflight/certificate-cache.ts";
import { readBundle } from "./preflight/read-bundle.ts";
import { Intake } from "./reload/intake.ts";
import type { Service } from "./reload/ports.ts";
import { ReloadQueue } from "./reload/queue.ts";
import type { Clock } from "./runtime/clock.ts";
import { CloseStack } from "./runtime/close-stack.ts";
import { createSource } from "./source/source.ts";
import { FileStore } from "./store/file-store.ts";
import { lookUpOwner } from "./store/owner.ts";
import { version } from "./version.ts";

/** A running engine. */
export interface Engine {
  requestResync(): void;
  /** Finishes the reload that is running, for at most `graceMs` or the `timeout` of its hook, and lets go of the folder. */
  close(graceMs: number): Promise<void>;
}

/**
 * Opens the output folder, goes on with what a crash left unfinished, and follows etcd.
 *
 * @param onBroken Called once when following etcd ends by itself, which is a fault of keyturn.
 * @throws KeyturnError STORE_LOCKED, STORE_UNSAFE, STORE_FAILED, CONFIG_INVALID.
 */
export async function startEngine(
  config: Config,
  clock: Clock,
  report: Report,
  onBroken: (thrown: unknown) => void,
): Promise<Engine> {
  const { etcd, output, bundles, checks, queue: queueing } = config;
  const owner = await lookUpOwner(output.owner, output.group);
  const store = await FileStore.open({ dir: output.dir, keep: output.keep, mode: output.mode, owner, clock });
  const services = config.services.map((service) => toService(service, config.node, clock, report));
  const queue = new ReloadQueue({
    store,
    services,
    clock,
    report,
    concurrency: queueing.concurrency,
    splayMs: queueing.splay,
  });
  report({ type: "engine.started" });
  for (const name of store.names()) {
    const generation = store.current(name);
    if (generation === undefined) continue;
    report({ type: "bundle.recovered", generation });
    if (generation.state !== "live") queue.resume(generation);
  }

  const read = rememberCertificates(readCertificate);
  const stopping = new AbortController();
  const intake = new Intake(
    {
      prefix: etcd.prefix,
      ...bundles,
      settleMs: checks.settle,
      onDelete: output.onDelete,
      store,
      queue,
      examine: async (contents) => readBundle(contents, read),
      clock,
      report,
    },
    stopping.signal,
  );
  const source = createSource({
    access: etcd,
    prefix: etcd.prefix,
    resyncEveryMs: etcd.resyncEvery,
    clock,
    report,
  });
  const following = follow().catch(onBroken);

  async function follow(): Promise<void> {
    for await (const snapshot of source.snapshots(stopping.signal)) await intake.take(snapshot);
  }

  return {
    requestResync: () => source.requestResync(),
    close: async (graceMs) => {
      const closes = new CloseStack();
      closes.push(() => store.close());
      closes.push(() => queue.close(AbortSignal.timeout(graceMs)));
      closes.push(() => following);
      closes.push(() => stopping.abort());
      await closes.close();
    },
  };
}

function toService(
  { name, stage, bundles, notify }: ServiceConfig,
  node: string,
  clock: Clock,
  report: Report,
): Service {
  const { http } = notify;
  const hook = http && {
    ...http,
    service: name,
    node,
    userAgent: `keyturn/${version}`,
    timeoutMs: http.timeout,
    clock,
    report,
  };
  return {
    name,
    stage,
    uses: (bundle) => matchesAny(bundle, bundles),
    notify: async (notice, signal) => {
      if (hook === undefined) return { kind: "done" };
      try {
        return await deliver(hook, notice, signal);
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        return { kind: "failed", message: `${name}: ${messageOf(thrown)}` };
      }
    },
    verify: null,
    serves: null,
  };
}
