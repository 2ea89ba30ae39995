/**
 * What is known of each bundle, kept from events.
 *
 * `state` follows the newest content that was seen in etcd. A reload that ends while newer content waits, was rejected,
 * is in quarantine or was taken away does not change it; neither does a service that is told again after a way back.
 */
import type { DaemonEvent } from "../core/events.ts";
import type { BundleName } from "../core/names.ts";
import { rememberAlert, underWay } from "./alert-history.ts";
import { Quarantines } from "./quarantines.ts";
import { isLive, remember, stateAfter } from "./reload-end.ts";
import type { BundleStatus, ReloadStatus } from "./status.ts";

type EventOf<Type extends DaemonEvent["type"]> = Extract<DaemonEvent, { readonly type: Type }>;

const NOTHING = {
  state: "checking",
  generation: null,
  live: false,
  labels: {},
  problems: [],
  overdue: false,
  lastReload: null,
  quarantine: null,
  served: [],
  rollbacks: 0,
  drift: null,
  expiring: null,
  newest: null,
  history: [],
  alerts: [],
} as const;

/** Keeps the status of every bundle. */
export class BundleBoard {
  readonly #now: () => Date;
  readonly #bundles = new Map<BundleName, BundleStatus>();
  readonly #quarantines = new Quarantines();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** By name. */
  all(): readonly BundleStatus[] {
    return [...this.#bundles.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: BundleName): BundleStatus | undefined {
    return this.#bundles.get(name);
  }

  clear(): void {
    this.#bundles.clear();
    this.#quarantines.clear();
  }

  /** Takes an event in. */
  note(event: DaemonEvent): void {
    this.#quarantines.note(event);
    switch (event.type) {
      case "bundle.observed":
        // From here on the node is not ready before something of this bundle is live.
        this.#set(event.bundle, {});
        return;
      case "bundle.excluded":
        this.#forget(event.bundle);
        return;
      case "bundle.unchanged":
        this.#set(event.bundle, { state: "live", live: true, problems: [], overdue: false, newest: null });
        return;
      case "bundle.accepted":
        this.#noteContent(event, { state: "reloading", problems: [], overdue: false });
        return;
      case "bundle.waiting":
        this.#noteContent(event, { state: "waiting", problems: event.problems, overdue: event.overdue });
        return;
      case "bundle.rejected":
        this.#noteContent(event, { state: "rejected", problems: event.problems, overdue: false });
        return;
      case "bundle.quarantined":
        this.#noteContent(event, { state: "quarantined", problems: [], overdue: false });
        return;
      case "bundle.labels":
        this.#set(event.bundle, { labels: event.labels });
        return;
      case "bundle.deleted":
        this.#noteDeletion(event);
        return;
      case "alert.acted":
        this.#change(event.bundle, ({ alerts }) => ({ alerts: rememberAlert(alerts, event, this.#now()) }));
        return;
      default:
        this.#noteDisk(event);
    }
  }

  /** What became of content that was seen in etcd. Seen again it is no newer: `at` is when it came. */
  #noteContent(
    event: EventOf<"bundle.accepted" | "bundle.waiting" | "bundle.rejected" | "bundle.quarantined">,
    change: Partial<BundleStatus>,
  ): void {
    const { bundle, revision } = event;
    const before = this.#bundles.get(bundle)?.newest;
    const at = before?.revision === revision ? before.at : this.#now().toISOString();
    const digest = "digest" in event ? event.digest : null;
    this.#set(bundle, { ...change, newest: { revision, digest, at } });
  }

  /** What is on disk, and what services serve of it. */
  #noteDisk(event: DaemonEvent): void {
    const at = this.#now().toISOString();
    switch (event.type) {
      case "bundle.recovered": {
        const { generation } = event;
        const live = generation.state === "live";
        this.#set(generation.name, { generation, live, state: live ? "live" : "current" });
        return;
      }
      case "reload.started":
        this.#noteStart(event);
        return;
      case "reload.finished":
        this.#noteReload(event);
        return;
      case "rollback.started":
        this.#change(event.bundle, ({ rollbacks }) => ({ rollbacks: rollbacks + 1 }));
        return;
      case "service.looked": {
        const { type: _, bundle, ...seen } = event;
        this.#change(bundle, ({ served }) => {
          const others = served.filter(({ service }) => service !== seen.service);
          return { served: [...others, { ...seen, at }].sort((a, b) => (a.service < b.service ? -1 : 1)) };
        });
        return;
      }
      case "bundle.drifted": {
        const { bundle, findings, failure } = event;
        this.#change(bundle, () => ({ drift: { at, findings, failure } }));
        return;
      }
      case "certificate.expiring":
      case "certificate.standing": {
        const { bundle, threshold, remainingMs } = event;
        const remainingSeconds = Math.floor(remainingMs / 1_000);
        const expiring = threshold === null ? null : { threshold, remainingSeconds, at };
        this.#change(bundle, () => ({ expiring }));
        return;
      }
    }
  }

  #noteDeletion({ bundle, removed }: EventOf<"bundle.deleted">): void {
    if (removed || !this.#bundles.get(bundle)?.generation) this.#forget(bundle);
    else this.#set(bundle, { state: "deleted", problems: [], overdue: false });
  }

  #noteStart({ bundle, reason }: EventOf<"reload.started">): void {
    this.#change(bundle, ({ state, quarantine }) => {
      const wasSetAside = state === "quarantined" || state === "rolledBack";
      const wasLifted = quarantine !== null && this.#quarantines.get(bundle) === null;
      return wasSetAside && (reason === "rotated" || wasLifted) ? { state: "reloading" } : {};
    });
  }

  #noteReload(event: EventOf<"reload.finished">): void {
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
    const before = this.#bundles.get(bundle) ?? { name: bundle, ...NOTHING };
    const history = remember(before.history, event, lastReload, underWay(before.alerts));
    this.#set(bundle, { state: stateAfter(before.state, event.reason, outcome), lastReload, history });
    const { generation } = outcome;
    if (generation === null) return;
    const isSameLeaf = before.generation?.leaf?.fingerprint256 === generation.leaf?.fingerprint256;
    const expiring = isSameLeaf ? before.expiring : null;
    this.#set(bundle, { generation, live: isLive(outcome), expiring });
  }

  /** Changes what is known of a bundle that is known. */
  #change(name: BundleName, change: (before: BundleStatus) => Partial<BundleStatus>): void {
    const before = this.#bundles.get(name);
    if (before !== undefined) this.#set(name, change(before));
  }

  #set(name: BundleName, change: Partial<BundleStatus>): void {
    const quarantine = this.#quarantines.get(name);
    this.#bundles.set(name, { name, ...NOTHING, ...this.#bundles.get(name), ...change, quarantine });
  }

  #forget(name: BundleName): void {
    this.#bundles.delete(name);
    this.#quarantines.forget(name);
  }
}
