/** The metrics of bundles. A bundle that goes takes all of its series with it. */
import type { Registry } from "prom-client";
import type { DaemonEvent, Report } from "../core/events.ts";
import type { RollbackCause } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import { BundleGauges } from "./bundle-gauges.ts";
import { BundleSeries, instrumentsOf } from "./instruments.ts";
import { Quarantines } from "./quarantines.ts";

type EventOf<Type extends DaemonEvent["type"]> = Extract<DaemonEvent, { readonly type: Type }>;

const ROLLBACK_CAUSES: readonly RollbackCause[] = ["service", "operator", "alert"];

/** Registers them and returns what keeps them. */
export function countBundles(registry: Registry): Report {
  const metrics = new BundleMetrics(registry);
  return (event) => metrics.note(event);
}

function register(registry: Registry) {
  const { gauge, counter, seconds } = instrumentsOf(registry);
  return {
    reloadSeconds: seconds(
      "keyturn_reload_duration_seconds",
      "Time from taking a bundle from the queue to the outcome.",
      "bundle",
      "outcome",
    ),
    reloads: counter("keyturn_reloads_total", "Reloads by how they ended.", "bundle", "outcome"),
    rejections: counter("keyturn_rejections_total", "Bundles that were not let through.", "bundle", "code"),
    rollbacks: counter(
      "keyturn_rollbacks_total",
      "Ways back to an earlier generation, by who decided it: service, operator or alert.",
      "bundle",
      "reason",
    ),
    drift: counter("keyturn_drift_total", "Times that files were not as they were written.", "bundle"),
    legacyKeys: counter(
      "keyturn_legacy_keys_total",
      "Private keys that only OpenSSL's legacy provider could read.",
      "bundle",
    ),
    servedMatches: gauge(
      "keyturn_served_matches",
      "Whether the service was last seen to serve what is current.",
      "service",
      "bundle",
    ),
    lastSuccessful: gauge(
      "keyturn_last_reload_successful",
      "Whether the newest content that was seen in etcd is live.",
      "bundle",
    ),
    lastSuccess: gauge(
      "keyturn_last_reload_success_timestamp_seconds",
      "Unix time at which a reload last ended live.",
      "bundle",
    ),
  };
}

class BundleMetrics {
  readonly #metrics: ReturnType<typeof register>;
  readonly #gauges: BundleGauges;
  readonly #series = new BundleSeries();
  readonly #quarantines = new Quarantines();
  /** Bundles that did not go: a look that comes after must not bring a series back. */
  readonly #known = new Set<BundleName>();
  /** Bundles whose newest content was rejected: whatever else of them ends live is not the newest. */
  readonly #rejected = new Set<BundleName>();

  constructor(registry: Registry) {
    this.#metrics = register(registry);
    this.#gauges = new BundleGauges(registry);
    const help = "Whether content of the bundle was rolled back and does nothing any more.";
    instrumentsOf(registry).computed("keyturn_quarantined", help, ["bundle"], (set) => {
      for (const bundle of this.#gauges.names()) set({ bundle }, 0);
      for (const bundle of this.#quarantines.names()) set({ bundle }, 1);
    });
  }

  note(event: DaemonEvent): void {
    this.#quarantines.note(event);
    switch (event.type) {
      case "engine.started":
        this.#startOver();
        return;
      case "key.legacy":
        this.#series.of(this.#metrics.legacyKeys, { bundle: event.bundle }).inc();
        return;
      case "rollback.started":
        this.#series.of(this.#metrics.rollbacks, { bundle: event.bundle, reason: event.cause }).inc();
        return;
      case "service.looked":
        this.#noteLook(event);
        return;
      case "certificate.expiring":
      case "certificate.standing":
        this.#gauges.setExpiring(event.bundle, event.leaf, event.threshold);
        return;
      case "reload.started":
        this.#know(event.bundle);
        return;
      case "reload.finished":
        this.#noteReload(event);
        return;
      default:
        this.#noteContent(event);
    }
  }

  /** What etcd holds of a bundle, and what is on disk of it. */
  #noteContent(event: DaemonEvent): void {
    switch (event.type) {
      case "bundle.accepted":
        this.#rejected.delete(event.bundle);
        return;
      case "bundle.unchanged":
        this.#rejected.delete(event.bundle);
        this.#setSuccessful(event.bundle, true);
        return;
      case "bundle.rejected":
        this.#rejected.add(event.bundle);
        this.#setSuccessful(event.bundle, false);
        for (const { code } of event.problems) {
          this.#series.of(this.#metrics.rejections, { bundle: event.bundle, code }).inc();
        }
        return;
      case "bundle.quarantined":
        this.#rejected.delete(event.bundle);
        this.#setSuccessful(event.bundle, false);
        return;
      case "bundle.drifted":
        this.#series.of(this.#metrics.drift, { bundle: event.bundle }).inc();
        return;
      case "bundle.labels":
        this.#gauges.setLabels(event.bundle, event.labels);
        return;
      case "bundle.recovered":
        this.#know(event.generation.name);
        this.#gauges.setGeneration(event.generation);
        return;
      case "bundle.deleted":
        if (event.removed || !this.#gauges.has(event.bundle)) this.#forget(event.bundle);
        return;
      case "bundle.excluded":
        this.#forget(event.bundle);
        return;
    }
  }

  /** Counters begin at 0: a rise is seen from one value to the next, and the first of a bundle would be none. */
  #know(bundle: BundleName): void {
    this.#known.add(bundle);
    this.#series.of(this.#metrics.drift, { bundle }).inc(0);
    for (const reason of ROLLBACK_CAUSES) this.#series.of(this.#metrics.rollbacks, { bundle, reason }).inc(0);
  }

  #noteLook({ service, bundle, matches }: EventOf<"service.looked">): void {
    if (!this.#known.has(bundle)) return;
    this.#series.of(this.#metrics.servedMatches, { service, bundle }).set(matches ? 1 : 0);
  }

  #noteReload({ bundle, outcome, timings }: EventOf<"reload.finished">): void {
    const labels = { bundle, outcome: outcome.kind };
    this.#series.of(this.#metrics.reloads, labels).inc();
    this.#series.of(this.#metrics.reloadSeconds, labels).observe(timings.totalMs / 1000);
    if (outcome.kind === "interrupted") return;
    const isGood = outcome.kind === "live" || outcome.kind === "unchanged";
    const isNewest = !this.#rejected.has(bundle) && this.#quarantines.get(bundle) === null;
    this.#setSuccessful(bundle, isGood && isNewest);
    if (outcome.kind === "live") this.#series.of(this.#metrics.lastSuccess, { bundle }).setToCurrentTime();
    if (outcome.generation !== null) this.#gauges.setGeneration(outcome.generation);
  }

  #setSuccessful(bundle: BundleName, isSuccessful: boolean): void {
    this.#series.of(this.#metrics.lastSuccessful, { bundle }).set(isSuccessful ? 1 : 0);
  }

  #startOver(): void {
    this.#gauges.clear();
    this.#quarantines.clear();
    this.#known.clear();
    this.#rejected.clear();
    this.#metrics.lastSuccessful.reset();
    this.#metrics.servedMatches.reset();
  }

  #forget(bundle: BundleName): void {
    this.#gauges.forget(bundle);
    this.#quarantines.forget(bundle);
    this.#known.delete(bundle);
    this.#rejected.delete(bundle);
    this.#series.forget(bundle);
  }
}
