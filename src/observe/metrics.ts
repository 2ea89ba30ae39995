/** The metrics: what dashboards and alerts rely on. Labels are bounded by the bundles and services of this node. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { DaemonEvent, ObservationResult, Report } from "../core/events.ts";
import type { BundleName } from "../core/names.ts";
import { BundleGauges } from "./bundle-gauges.ts";

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Registers every metric and returns what keeps them. */
export function countEvents(registry: Registry, version: string): Report {
  const metrics = registerMetrics(registry);
  metrics.buildInfo.set({ version, node_version: process.version }, 1);
  return (event) => count(metrics, event);
}

type Metrics = ReturnType<typeof registerMetrics>;

function registerMetrics(registry: Registry) {
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const seconds = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Histogram({ name, help, labelNames, registers, buckets: SECONDS });
  return {
    reloadSeconds: seconds(
      "keyturn_reload_duration_seconds",
      "Time from taking a bundle from the queue to the outcome.",
      "bundle",
      "outcome",
    ),
    reloads: counter("keyturn_reloads_total", "Reloads by how they ended.", "bundle", "outcome"),
    events: counter("keyturn_events_total", "What observations of etcd led to.", "result"),
    hookAttempts: counter("keyturn_hook_attempts_total", "Attempts to tell a service.", "service", "result"),
    hookSeconds: seconds(
      "keyturn_hook_duration_seconds",
      "Time of one attempt to tell a service.",
      "service",
    ),
    rejections: counter("keyturn_rejections_total", "Bundles that were not let through.", "bundle", "code"),
    queueDepth: gauge("keyturn_queue_depth", "Reloads that wait for a place."),
    etcdConnected: gauge("keyturn_etcd_connected", "Whether there is a link to etcd."),
    etcdRevision: gauge("keyturn_etcd_revision", "Revision of etcd this node has applied."),
    etcdLastSnapshot: gauge(
      "keyturn_etcd_last_snapshot_timestamp_seconds",
      "Unix time at which something was last read from etcd.",
    ),
    resyncs: counter("keyturn_resyncs_total", "Full listings of the prefix.", "reason"),
    bundles: new BundleGauges(registry),
    lastSuccessful: gauge(
      "keyturn_last_reload_successful",
      "Whether the newest reload or rejection left the newest content live.",
      "bundle",
    ),
    lastSuccess: gauge(
      "keyturn_last_reload_success_timestamp_seconds",
      "Unix time at which a reload last ended live.",
      "bundle",
    ),
    buildInfo: gauge("keyturn_build_info", "Versions.", "version", "node_version"),
  };
}

function count(metrics: Metrics, event: DaemonEvent): void {
  switch (event.type) {
    case "engine.started":
      metrics.etcdConnected.set(0);
      metrics.bundles.clear();
      metrics.lastSuccessful.reset();
      metrics.queueDepth.set(0);
      return;
    case "etcd.connected":
      metrics.etcdConnected.set(1);
      return;
    case "etcd.disconnected":
      metrics.etcdConnected.set(0);
      return;
    case "etcd.snapshot":
      metrics.etcdRevision.set(event.revision);
      metrics.etcdLastSnapshot.setToCurrentTime();
      if (event.cause !== "watch") metrics.resyncs.inc({ reason: event.cause });
      return;
    case "hook.attempted":
      metrics.hookAttempts.inc({ service: event.service, result: event.result });
      metrics.hookSeconds.observe({ service: event.service }, event.durationMs / 1000);
      return;
    case "queue.changed":
      metrics.queueDepth.set(event.depth);
      return;
    default:
      countBundle(metrics, event);
  }
}

function countBundle(metrics: Metrics, event: DaemonEvent): void {
  const result = resultOf(event);
  if (result !== undefined) metrics.events.inc({ result });
  switch (event.type) {
    case "bundle.rejected":
      for (const { code } of event.problems) metrics.rejections.inc({ bundle: event.bundle, code });
      metrics.lastSuccessful.set({ bundle: event.bundle }, 0);
      return;
    case "bundle.unchanged":
      metrics.lastSuccessful.set({ bundle: event.bundle }, 1);
      return;
    case "bundle.labels":
      metrics.bundles.setLabels(event.bundle, event.labels);
      return;
    case "bundle.recovered":
      metrics.bundles.setGeneration(event.generation);
      return;
    case "bundle.deleted":
      if (event.removed || !metrics.bundles.has(event.bundle)) forget(metrics, event.bundle);
      return;
    case "bundle.excluded":
      forget(metrics, event.bundle);
      return;
    case "reload.finished":
      countReload(metrics, event);
      return;
  }
}

function resultOf(event: DaemonEvent): ObservationResult | undefined {
  switch (event.type) {
    case "key.ignored":
      return "ignored";
    case "bundle.excluded":
      return "excluded";
    case "bundle.unchanged":
      return "unchanged";
    case "bundle.accepted":
      return "accepted";
    case "bundle.waiting":
      return event.overdue ? undefined : "waiting";
    case "bundle.rejected":
      return "rejected";
    case "bundle.deleted":
      return "deleted";
    default:
      return undefined;
  }
}

function countReload(
  metrics: Metrics,
  { bundle, outcome, timings }: Extract<DaemonEvent, { type: "reload.finished" }>,
): void {
  metrics.reloads.inc({ bundle, outcome: outcome.kind });
  metrics.reloadSeconds.observe({ bundle, outcome: outcome.kind }, timings.totalMs / 1000);
  if (outcome.kind !== "interrupted") {
    metrics.lastSuccessful.set({ bundle }, outcome.kind === "live" || outcome.kind === "unchanged" ? 1 : 0);
  }
  if (outcome.kind === "live") metrics.lastSuccess.setToCurrentTime({ bundle });
  if ("generation" in outcome && outcome.generation !== null)
    metrics.bundles.setGeneration(outcome.generation);
}

function forget(metrics: Metrics, bundle: BundleName): void {
  metrics.bundles.forget(bundle);
  metrics.lastSuccessful.remove({ bundle });
  metrics.lastSuccess.remove({ bundle });
}
