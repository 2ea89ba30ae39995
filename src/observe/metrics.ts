/** The metrics: what dashboards and alerts rely on. Labels are bounded by the bundles and services of this node. */
import type { Registry } from "prom-client";
import type { DaemonEvent, ObservationResult, Report } from "../core/events.ts";
import type { SnapshotCause } from "../core/snapshot.ts";
import { countRefusals } from "./admin-metrics.ts";
import { countAlerts } from "./alert-metrics.ts";
import { countBundles } from "./bundle-metrics.ts";
import { instrumentsOf } from "./instruments.ts";
import { countServices } from "./service-metrics.ts";

/** Registers every metric and returns what keeps them. */
export function countEvents(registry: Registry, version: string): Report {
  const metrics = registerMetrics(registry);
  metrics.buildInfo.set({ version, node_version: process.version }, 1);
  // Counters begin at 0: a rise is seen from one value to the next, and the first event would be none.
  for (const result of Object.keys(RESULTS)) metrics.events.inc({ result }, 0);
  for (const reason of Object.keys(LISTINGS)) metrics.resyncs.inc({ reason }, 0);
  const reports = [
    (event: DaemonEvent) => count(metrics, event),
    countBundles(registry),
    countServices(registry),
    countAlerts(registry),
    countRefusals(registry),
  ];
  return (event) => {
    for (const report of reports) report(event);
  };
}

/** Every value of the label: one that is missing does not compile. */
const RESULTS: Readonly<Record<ObservationResult, true>> = {
  accepted: true,
  unchanged: true,
  waiting: true,
  rejected: true,
  quarantined: true,
  deleted: true,
  ignored: true,
  excluded: true,
};

const LISTINGS: Readonly<Record<Exclude<SnapshotCause, "watch">, true>> = {
  start: true,
  compacted: true,
  replaced: true,
  periodic: true,
  requested: true,
};

type Metrics = ReturnType<typeof registerMetrics>;

function registerMetrics(registry: Registry) {
  const { gauge, counter } = instrumentsOf(registry);
  return {
    events: counter("keyturn_events_total", "What observations of etcd led to.", "result"),
    queueDepth: gauge("keyturn_queue_depth", "Reloads that wait for a place."),
    etcdConnected: gauge("keyturn_etcd_connected", "Whether there is a link to etcd."),
    etcdRevision: gauge("keyturn_etcd_revision", "Revision of etcd this node has applied."),
    etcdLastSnapshot: gauge(
      "keyturn_etcd_last_snapshot_timestamp_seconds",
      "Unix time at which something was last read from etcd.",
    ),
    resyncs: counter("keyturn_resyncs_total", "Full listings of the prefix.", "reason"),
    handshakeRestarts: counter(
      "keyturn_handshake_restarts_total",
      "Times that the process that makes handshakes was started again.",
    ),
    buildInfo: gauge("keyturn_build_info", "Versions.", "version", "node_version"),
  };
}

function count(metrics: Metrics, event: DaemonEvent): void {
  const result = resultOf(event);
  if (result !== undefined) metrics.events.inc({ result });
  switch (event.type) {
    case "engine.started":
      metrics.etcdConnected.set(0);
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
    case "handshake.restarted":
      metrics.handshakeRestarts.inc();
      return;
    case "queue.changed":
      metrics.queueDepth.set(event.depth);
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
    case "bundle.quarantined":
      return "quarantined";
    case "bundle.deleted":
      return "deleted";
    default:
      return undefined;
  }
}
