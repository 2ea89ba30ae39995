/** Everything that one configuration wires together; a new configuration is a new engine. */
import { createChecks, createReader } from "./checks.ts";
import type { Config } from "./config/schema.ts";
import type { Report } from "./core/events.ts";
import type { Generation, GenerationId, RollbackCause } from "./core/generation.ts";
import { type BundleName, readKey } from "./core/names.ts";
import type { ReloadOutcome, RetryResult } from "./core/outcome.ts";
import { watchExpiry } from "./expiry/watch.ts";
import { startHandshakes } from "./handshake/supervisor.ts";
import { createService, describeService, tellRenewal } from "./local-service.ts";
import { Turns } from "./notify/turns.ts";
import { lookUpOwnFiles } from "./output.ts";
import { auditRegularly } from "./reload/audit.ts";
import { Intake } from "./reload/intake.ts";
import { ReloadQueue } from "./reload/queue.ts";
import type { Clock } from "./runtime/clock.ts";
import { type CloseStack, openTogether } from "./runtime/close-stack.ts";
import { createSource } from "./source/source.ts";
import { FileStore } from "./store/file-store.ts";
import { lookUpOwner } from "./store/owner.ts";
import { watchServed } from "./verify/schedule.ts";

/** A running engine. */
export interface Engine {
  requestResync(): void;
  current(name: BundleName): Generation | undefined;
  /** Generations of a bundle that are on disk, oldest first. */
  history(name: BundleName): readonly Generation[];
  /** The newest one that was live before; undefined where there is none. */
  previous(name: BundleName): Generation | undefined;
  /**
   * Goes back to a generation, or to the newest one that was live before, until the content in etcd changes.
   *
   * @param asked Who wants it, and why: for the history.
   * @throws KeyturnError BUNDLE_UNKNOWN, GENERATION_UNKNOWN, NOTHING_TO_DO, STORE_FAILED.
   */
  rollBack(
    name: BundleName,
    to: GenerationId | null,
    asked: { readonly cause: Exclude<RollbackCause, "service">; readonly why: string },
  ): Promise<ReloadOutcome>;
  /**
   * Tries what etcd holds again, in quarantine or not.
   *
   * @throws KeyturnError BUNDLE_UNKNOWN, NOTHING_TO_DO.
   */
  retry(name: BundleName): Promise<RetryResult>;
  /** Finishes the reload that is running, for at most `graceMs` or the `timeout` of its hook, and lets go of the folder. */
  close(graceMs: number): Promise<void>;
}

/**
 * Opens the output folder, goes on with what a crash left unfinished, and follows etcd.
 *
 * @param onBroken Called when something that runs on and on ends by itself, which is a fault of keyturn.
 * @throws KeyturnError STORE_LOCKED, STORE_UNSAFE, STORE_FAILED, CONFIG_INVALID.
 */
export function startEngine(
  config: Config,
  clock: Clock,
  report: Report,
  onBroken: (thrown: unknown) => void,
): Promise<Engine> {
  return openTogether((closes) => buildEngine(config, clock, report, onBroken, closes));
}

async function buildEngine(
  config: Config,
  clock: Clock,
  report: Report,
  onBroken: (thrown: unknown) => void,
  closes: CloseStack,
): Promise<Engine> {
  const { node, etcd, output, bundles, checks, queue: queueing, expiry, renewal } = config;
  const owner = await lookUpOwner(output.owner, output.group);
  const permissions = { mode: output.mode, owner };
  const store = await FileStore.open({ dir: output.dir, keep: output.keep, ...permissions, clock });
  closes.push(() => store.close());
  const ownFiles = await lookUpOwnFiles(config.services, permissions, store);
  const handshakes = startHandshakes({ clock, report });
  closes.push(() => handshakes.close());

  const turns = new Turns();
  const services = config.services.map((service) => {
    const writeFiles = (bundle: BundleName) => ownFiles.write(service.name, bundle);
    const { lookAt } = handshakes;
    return createService(service, { node, store, writeFiles, lookAt, turns, clock, report });
  });
  const queue = new ReloadQueue({
    store,
    upkeep: ownFiles.upkeep,
    services,
    clock,
    report,
    contentOf: (name, digest, signal) => intake.contentOf(name, digest, signal),
    concurrency: queueing.concurrency,
    splayMs: queueing.splay,
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  const intake = new Intake(
    {
      prefix: etcd.prefix,
      ...bundles,
      settleMs: checks.settle,
      onDelete: output.onDelete,
      store,
      queue,
      examine: createChecks(checks, { store, prove: handshakes.prove, clock, report }),
      read: createReader(checks, clock),
      clock,
      report,
    },
    signal,
  );
  const source = createSource({
    access: etcd,
    prefix: etcd.prefix,
    isUsed: (key) => readKey(etcd.prefix, key).kind === "part",
    resyncEveryMs: etcd.resyncEvery,
    clock,
    report,
  });

  report({ type: "engine.started", services: config.services.map(describeService) });
  for (const [bundle, { message }] of store.unrecovered()) {
    report({ type: "bundle.drifted", bundle, findings: [], failure: message });
  }
  resumeAll(store, queue, report);

  const currents = () =>
    store.names().flatMap((name) => {
      const generation = store.current(name);
      return generation === undefined ? [] : [generation];
    });
  const loops = [
    follow(),
    auditRegularly(
      { everyMs: output.auditEvery, store, upkeep: ownFiles.upkeep, queue, clock, report },
      signal,
    ),
    watchServed(
      {
        services: services.flatMap(({ watched }) => watched ?? []),
        liveBundles: () => currents().filter(({ state }) => state === "live"),
        isBusy: (name) => queue.isBusy(name),
        onMismatch: (service, name) => {
          const current = store.current(name);
          if (current !== undefined) queue.remind(current, service);
        },
        onRecovery: (service, name) => {
          const current = store.current(name);
          if (current !== undefined) queue.acknowledge(current, service);
        },
        clock,
        report,
      },
      signal,
    ),
    watchExpiry(
      {
        current: currents,
        warnAtMs: expiry.warnAt,
        warnBelow: expiry.warnBelow,
        warned: (name) => store.warned(name),
        recordWarned: (name, thresholds) => store.recordWarned(name, thresholds),
        clock,
        report,
        tell: tellRenewal(renewal?.http, { node, clock, report }),
      },
      signal,
    ),
  ].map((loop) => loop.catch(onBroken));

  async function follow(): Promise<void> {
    for await (const snapshot of source.snapshots(signal)) await intake.take(snapshot);
  }

  return {
    requestResync: () => source.requestResync(),
    current: (name) => store.current(name),
    history: (name) => store.history(name),
    previous: (name) => store.previous(name),
    rollBack: (name, to, asked) => queue.goBack({ kind: "return", name, to, ...asked }),
    retry: (name) => intake.retry(name, signal),
    close: async (graceMs) => {
      closes.push(() => queue.close(AbortSignal.timeout(graceMs)));
      closes.push(async () => {
        await Promise.all(loops);
      });
      closes.push(() => stopping.abort());
      await closes.close();
    },
  };
}

/** What was current and not live when the daemon ended is finished: forward, or on the way back. */
function resumeAll(store: FileStore, queue: ReloadQueue, report: Report): void {
  for (const name of store.names()) {
    const generation = store.current(name);
    if (generation === undefined) continue;
    report({ type: "bundle.recovered", generation });
    const history = store.history(name);
    const isPutBack = history.some(({ rollback }) => rollback?.to === generation.id && !rollback.finished);
    if (generation.state !== "live") queue.resume(generation, isPutBack);
  }
}
