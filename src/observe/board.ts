/** The status board: everything `/status` and `keyturn status` show, kept from events. Nothing secret is in it. */
import type { DaemonEvent } from "../core/events.ts";
import type { BundleName } from "../core/names.ts";
import type { ConfiguredService } from "../core/service.ts";
import { BundleBoard } from "./bundle-board.ts";
import { whyNotReady } from "./readiness.ts";
import type { BundleStatus, EtcdStatus, ServiceStatus, Status } from "./status.ts";

const NO_ETCD: EtcdStatus = {
  connected: false,
  endpoint: null,
  clusterId: null,
  revision: 0,
  lastSnapshotAt: null,
  problem: null,
};

/** Keeps the status of this node. */
export class StatusBoard {
  readonly #now: () => Date;
  readonly #head: Pick<Status, "node" | "version" | "startedAt">;
  readonly #bundles: BundleBoard;
  readonly #services = new Map<string, ServiceStatus>();
  #configured: readonly ConfiguredService[] = [];
  #etcd: EtcdStatus = NO_ETCD;
  #queueDepth = 0;
  #ignoredKeys = 0;

  constructor(node: string, version: string, now: () => Date) {
    this.#now = now;
    this.#head = { node, version, startedAt: now().toISOString() };
    this.#bundles = new BundleBoard(now);
  }

  /** Takes an event in. */
  readonly note = (event: DaemonEvent): void => {
    switch (event.type) {
      case "engine.started":
        this.#etcd = NO_ETCD;
        this.#bundles.clear();
        this.#services.clear();
        this.#configured = event.services ?? [];
        this.#queueDepth = 0;
        return;
      case "etcd.connected": {
        const { endpoint, clusterId } = event;
        this.#etcd = { ...this.#etcd, connected: true, endpoint, clusterId, problem: null };
        return;
      }
      case "etcd.disconnected": {
        const { code, message } = event;
        this.#etcd = { ...this.#etcd, connected: false, problem: { code, message } };
        return;
      }
      case "etcd.snapshot":
        this.#etcd = { ...this.#etcd, revision: event.revision, lastSnapshotAt: this.#now().toISOString() };
        return;
      case "key.ignored":
        this.#ignoredKeys++;
        return;
      case "queue.changed":
        this.#queueDepth = event.depth;
        return;
      case "hook.attempted": {
        const { service: name, bundle, result, message } = event;
        this.#services.set(name, { name, bundle, result, message, at: this.#now().toISOString() });
        return;
      }
      default:
        this.#bundles.note(event);
    }
  };

  /** What is known of one bundle; undefined where it is not known here. */
  bundle(name: BundleName): BundleStatus | undefined {
    return this.#bundles.get(name);
  }

  /** The status of everything. Whether a certificate has expired is told by the time of asking. */
  status(): Status {
    const bundles = this.#bundles.all();
    const notReady = [
      ...(this.#etcd.lastSnapshotAt === null ? ["etcd was not read yet"] : []),
      ...bundles.flatMap((bundle) => whyNotReady(bundle, this.#now()) ?? []),
    ];
    return {
      ...this.#head,
      ready: notReady.length === 0,
      notReady,
      etcd: this.#etcd,
      queueDepth: this.#queueDepth,
      ignoredKeys: this.#ignoredKeys,
      bundles,
      services: [...this.#services.values()],
      configured: this.#configured,
    };
  }
}
