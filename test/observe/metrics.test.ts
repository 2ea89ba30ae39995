import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as events from "../support/events.ts";
import { sectionsOf } from "../support/markdown.ts";
import { afterEvents } from "../support/metrics.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");
const CURRENT = generationOf("inference", "current", 2);

describe("a counter", () => {
  for (const [what, name, labels, list] of [
    ["of observations", "keyturn_events_total", { result: "rejected" }, []],
    ["of drift", "keyturn_drift_total", { bundle: "inference" }, [events.started(CURRENT)]],
    [
      "of ways back",
      "keyturn_rollbacks_total",
      { bundle: "inference", reason: "service" },
      [events.recovered(LIVE)],
    ],
    ["of refusals", "keyturn_admin_refusals_total", { reason: "wrong_token" }, []],
    ["of hooks", "keyturn_hook_attempts_total", { service: "vllm", result: "refused" }, [events.told()]],
    [
      "of handshakes",
      "tls_handshake_failure_total",
      { reason: "wrong_cert", server_name: "inference.local" },
      [events.looked()],
    ],
  ] as const) {
    it(`${what} is 0 before what it counts, so that the first is seen as a rise`, async () => {
      const { value } = await afterEvents(...list);
      assert.equal(value(name, labels), 0);
    });
  }
});

/** What docs/operating.md says: the labels of each. */
async function documentedMetrics(): Promise<Readonly<Record<string, string>>> {
  const sections = await sectionsOf("docs/operating.md", 2);
  const text = sections.find(({ heading }) => heading === "Metrics")?.text ?? "";
  const rows = [...text.matchAll(/^\| (`[^|]*) \|([^|]*)\|/gm)];
  const words = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map(([, word = ""]) => word);
  return Object.fromEntries(
    rows.flatMap(([, names = "", labels = ""]) =>
      words(names).map((name) => [name, words(labels).sort().join()] as const),
    ),
  );
}

describe("the metrics", () => {
  it("are those that dashboards rely on, with their labels", async () => {
    const { all } = await afterEvents(
      events.connected,
      events.snapshot(),
      events.rejected(),
      events.told(),
      events.legacyKey,
      events.started(CURRENT),
      events.goingBack(CURRENT, LIVE),
      events.live(),
      events.looked("wrong_cert"),
      events.drifted(),
      events.expiring(1_000),
    );
    const labels = new Map<string, string>();
    for (const { name, labels: found } of all) {
      const shown = Object.keys(found).filter((label) => label !== "le");
      labels.set(name.replace(/_(bucket|sum|count)$/, ""), shown.sort().join());
    }
    const found = Object.fromEntries([...labels].sort());
    const ofBoard = { keyturn_ready: "", keyturn_bundle_state: "bundle,state" };
    assert.deepEqual(await documentedMetrics(), { ...found, ...ofBoard }, "docs/operating.md");
    assert.deepEqual(found, {
      keyturn_admin_refusals_total: "reason",
      keyturn_alert_actions_total: "action,result",
      keyturn_build_info: "node_version,version",
      keyturn_bundle_info: "bundle,digest,generation",
      keyturn_certificate_expiring: "bundle,threshold",
      keyturn_drift_total: "bundle",
      keyturn_etcd_connected: "",
      keyturn_etcd_last_snapshot_timestamp_seconds: "",
      keyturn_etcd_revision: "",
      keyturn_events_total: "result",
      keyturn_handshake_restarts_total: "",
      keyturn_hook_attempts_total: "result,service",
      keyturn_hook_duration_seconds: "service",
      keyturn_last_reload_success_timestamp_seconds: "bundle",
      keyturn_last_reload_successful: "bundle",
      keyturn_legacy_keys_total: "bundle",
      keyturn_quarantined: "bundle",
      keyturn_queue_depth: "",
      keyturn_rejections_total: "bundle,code",
      keyturn_reload_duration_seconds: "bundle,outcome",
      keyturn_reloads_total: "bundle,outcome",
      keyturn_resyncs_total: "reason",
      keyturn_rollbacks_total: "bundle,reason",
      keyturn_served_matches: "bundle,service",
      tls_cert_not_after_seconds: "bundle,issuer,subject",
      tls_cert_not_before_seconds: "bundle,issuer,subject",
      tls_handshake_failure_total: "reason,server_name",
    });
  });

  it("say until when and from when the leaf is valid, in Unix time", async () => {
    const { value } = await afterEvents(events.live());
    const labels = { bundle: "inference", subject: "CN=inference", issuer: "CN=Test Intermediate" };
    assert.deepEqual(
      [value("tls_cert_not_after_seconds", labels), value("tls_cert_not_before_seconds", labels)],
      [Date.UTC(2031, 1, 1) / 1_000, Date.UTC(2031, 0, 1) / 1_000],
    );
  });

  it("have nothing of a leaf for a trust bundle", async () => {
    const { names } = await afterEvents(events.live({ ...LIVE, leaf: null }));
    assert.equal(names.includes("tls_cert_not_after_seconds"), false);
  });

  it("have the newer generation only, once there is one", async () => {
    const { all } = await afterEvents(events.live(), events.live(generationOf("inference", "live", 2)));
    const ids = all
      .filter(({ name }) => name === "keyturn_bundle_info")
      .map(({ labels }) => labels.generation);
    assert.deepEqual(ids, ["2-0123456789ab"]);
  });

  it("count what observations led to", async () => {
    const ignored = { type: "key.ignored", key: "/certs/A", why: "no name", first: true } as const;
    const { all } = await afterEvents(
      ...[ignored, ignored, events.excluded, events.unchanged(), events.accepted(), events.rejected()],
      ...[events.waiting(false), events.waiting(true), events.deleted(false), events.quarantined(CURRENT)],
    );
    const counts = all.filter(({ name }) => name === "keyturn_events_total");
    assert.deepEqual(Object.fromEntries(counts.map(({ labels, value }) => [labels.result, value])), {
      ignored: 2,
      excluded: 1,
      unchanged: 1,
      accepted: 1,
      rejected: 1,
      waiting: 1,
      deleted: 1,
      quarantined: 1,
    });
  });

  it("count each reason of a rejection", async () => {
    const { value } = await afterEvents(
      events.rejected(events.KEY_MISMATCH, { code: "CURVE_UNSUPPORTED", message: "" }),
    );
    const count = (code: string) => value("keyturn_rejections_total", { bundle: "inference", code });
    assert.deepEqual(
      [count("KEY_MISMATCH"), count("CURVE_UNSUPPORTED"), count("KEY_MISSING")],
      [1, 1, undefined],
    );
  });

  it("count full listings by their reason, and not the watch", async () => {
    const { all } = await afterEvents(
      events.snapshot(1),
      events.snapshot(2, "watch"),
      events.snapshot(3, "periodic"),
    );
    const resyncs = all.filter(({ name, value }) => name === "keyturn_resyncs_total" && value > 0);
    assert.deepEqual(
      resyncs.map(({ labels, value }) => [labels.reason, value]),
      [
        ["start", 1],
        ["periodic", 1],
      ],
    );
  });

  it("measure reloads and hooks in seconds", async () => {
    const { value } = await afterEvents(events.told(), events.live());
    assert.deepEqual(
      [
        value("keyturn_reload_duration_seconds_sum", { bundle: "inference", outcome: "live" }),
        value("keyturn_hook_duration_seconds_sum", { service: "vllm" }),
      ],
      [0.12504, 0.03],
    );
  });

  it("count what alerts had done, and how it ended", async () => {
    const { value } = await afterEvents(
      ...[events.alertActed("begun"), events.alertActed("done"), events.alertActed("limited")],
    );
    const count = (result: string) => value("keyturn_alert_actions_total", { action: "rollback", result });
    assert.deepEqual([count("begun"), count("done"), count("limited"), count("failed")], [1, 1, 1, 0]);
  });

  it("count requests to the admin server that were refused, also those that the log passes over", async () => {
    const { value } = await afterEvents(
      ...[events.adminRefused("wrong_token"), events.adminRefused("wrong_token", null)],
      events.adminRefused("foreign_host"),
    );
    const count = (reason: string) => value("keyturn_admin_refusals_total", { reason });
    assert.deepEqual([count("wrong_token"), count("foreign_host"), count("no_token")], [2, 1, 0]);
  });

  it("count how often the process that makes handshakes was started again", async () => {
    const { value } = await afterEvents(events.handshakeRestarted, events.handshakeRestarted);
    assert.equal(value("keyturn_handshake_restarts_total"), 2);
  });

  it("count failed handshakes by reason and server name, and none that succeeded", async () => {
    const { all } = await afterEvents(
      ...[events.looked("wrong_cert"), events.looked("wrong_cert"), events.looked()],
      events.looked("timeout", "triton", "triton.local"),
    );
    const failures = all.filter(({ name, value }) => name === "tls_handshake_failure_total" && value > 0);
    assert.deepEqual(
      failures.map(({ labels, value }) => [labels.reason, labels.server_name, value]),
      [
        ["wrong_cert", "inference.local", 2],
        ["timeout", "triton.local", 1],
      ],
    );
  });

  it("know at most 200 server names, and count what is past them together", async () => {
    const names = Array.from({ length: 205 }, (_, index) => `node-${index}.local`);
    const looks = [...names, "node-0.local"].map((name) => events.looked("refused", "vllm", name));
    const { all, value } = await afterEvents(...looks);
    const count = (server_name: string) =>
      value("tls_handshake_failure_total", { reason: "refused", server_name });
    const failures = all.filter(({ name, value }) => name === "tls_handshake_failure_total" && value > 0);
    assert.deepEqual(
      [failures.length, count("other"), count("node-0.local"), count("node-199.local")],
      [201, 5, 2, 1],
    );
  });

  it("follow the link to etcd and its revision", async () => {
    const up = await afterEvents(events.connected, events.snapshot(7));
    const down = await afterEvents(events.connected, events.snapshot(7), events.disconnected);
    assert.deepEqual(
      [up, down].map(({ value }) => [value("keyturn_etcd_connected"), value("keyturn_etcd_revision")]),
      [
        [1, 7],
        [0, 7],
      ],
    );
  });

  it("forget the depth of a queue that is no more", async () => {
    const { value } = await afterEvents({ type: "queue.changed", depth: 3 }, { type: "engine.started" });
    assert.equal(value("keyturn_queue_depth"), 0);
  });
});
