/** The status board: everything `/status` and `keyturn status` show, kept from events. Nothing secret is in it. */
import type { DaemonEvent } from "../core/events.ts";
import type { BundleName } from "../core/names.ts";
import type { OutcomeKind } from "../core/outcome.ts";
import type { BundleState, BundleStatus, EtcdStatus, ReloadStatus, ServiceStatus, Status } from "./status.ts";

const NO_BUNDLE = {
  state: "checking",
  generation: null,
  live: false,
  labels: {},
  problems: [],
  overdue: false,
  lastReload: null,
} as const;

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
  readonly #bundles = new Map<BundleName, BundleStatus>();
  readonly #services = new Map<string, ServiceStatus>();
  #etcd: EtcdStatus = NO_ETCD;
  #queueDepth = 0;
  #ignoredKeys = 0;

  constructor(node: string, version: string, now: () => Date) {
    this.#now = now;
    this.#head = { node, version, startedAt: now().toISOString() };
  }

  /** Takes an event in. */
  readonly note = (event: DaemonEvent): void => {
    switch (event.type) {
      case "engine.started":
        this.#etcd = NO_ETCD;
        this.#bundles.clear();
        this.#services.clear();
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
        this.#noteBundle(event);
    }
  };

  /** The status of everything. */
  status(): Status {
    const notReady = this.#whyNotReady();
    return {
      ...this.#head,
      ready: notReady.length === 0,
      notReady,
      etcd: this.#etcd,
      queueDepth: this.#queueDepth,
      ignoredKeys: this.#ignoredKeys,
      bundles: [...this.#bundles.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      services: [...this.#services.values()],
    };
  }

  #noteBundle(event: DaemonEvent): void {
    switch (event.type) {
      case "bundle.recovered": {
        const { generation } = event;
        const live = generation.state === "live";
        this.#set(generation.name, { generation, live, state: live ? "live" : "current" });
        return;
      }
      case "bundle.observed":
        // From here on the node is not ready before something of this bundle is live.
        this.#set(event.bundle, {});
        return;
      case "bundle.excluded":
        this.#bundles.delete(event.bundle);
        return;
      case "bundle.unchanged":
        this.#set(event.bundle, { state: "live", live: true, problems: [], overdue: false });
        return;
      case "bundle.accepted":
        this.#set(event.bundle, { state: "reloading", problems: [], overdue: false });
        return;
      case "bundle.waiting":
        this.#set(event.bundle, { state: "waiting", problems: event.problems, overdue: event.overdue });
        return;
      case "bundle.rejected":
        this.#set(event.bundle, { state: "rejected", problems: event.problems, overdue: false });
        return;
      case "bundle.labels":
        this.#set(event.bundle, { labels: event.labels });
        return;
      case "bundle.deleted":
        this.#noteDeletion(event);
        return;
      case "reload.finished":
        this.#noteReload(event);
        return;
    }
  }

  #noteDeletion({ bundle, removed }: Extract<DaemonEvent, { type: "bundle.deleted" }>): void {
    if (removed || !this.#bundles.get(bundle)?.generation) this.#bundles.delete(bundle);
    else this.#set(bundle, { state: "deleted", problems: [], overdue: false });
  }

  #noteReload(event: Extract<DaemonEvent, { type: "reload.finished" }>): void {
    const { bundle, outcome, timings, retryInMs } = event;
    if (outcome.kind === "interrupted") return;
    const now = this.#now();
    const lastReload: ReloadStatus = {
      outcome: outcome.kind,
      message: "message" in outcome ? outcome.message : null,
      finishedAt: now.toISOString(),
      ...timings,
      retryAt: retryInMs === null ? null : new Date(now.getTime() + retryInMs).toISOString(),
    };
    const generation = outcome.generation === null ? {} : { generation: outcome.generation };
    const isLive = outcome.kind === "live" || outcome.kind === "unchanged";
    const live = outcome.generation === null ? {} : { live: isLive };
    // What came during the reload and was held back, or took the content away, is newer: its state stays.
    const newest = this.#bundles.get(bundle)?.state;
    const isNewest = newest !== "waiting" && newest !== "rejected" && newest !== "deleted";
    const state = stateAfter(outcome.kind);
    this.#set(bundle, { ...generation, ...live, lastReload, ...(isNewest ? { state } : {}) });
  }

  #set(name: BundleName, change: Partial<BundleStatus>): void {
    this.#bundles.set(name, { name, ...NO_BUNDLE, ...this.#bundles.get(name), ...change });
  }

  #whyNotReady(): string[] {
    const reasons: string[] = [];
    if (this.#etcd.lastSnapshotAt === null) reasons.push("etcd was not read yet");
    for (const { name, live, state } of this.#bundles.values()) {
      if (!live) reasons.push(`bundle ${name} is not live (${state})`);
    }
    return reasons;
  }
}

function stateAfter(outcome: Exclude<OutcomeKind, "interrupted">): BundleState {
  if (outcome === "pending") return "current";
  return outcome === "unchanged" ? "live" : outcome;
}
