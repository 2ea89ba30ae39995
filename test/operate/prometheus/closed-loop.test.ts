/** The closed loop for real: Prometheus counts errors, Alertmanager tells keyturn, the bundle goes back. As docs/alerts.md says. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { hurried, RULES_FOLDER } from "../../support/alert-rules.ts";
import { useEventfulNode } from "../../support/eventful-node.ts";
import { codeOf } from "../../support/markdown.ts";
import { useAlertmanager, usePrometheus } from "../../support/prometheus.ts";
import { until } from "../../support/wait.ts";

interface Documented {
  readonly groups?: unknown;
  readonly alerts?: object;
}

describe("the closed loop of docs/alerts.md", () => {
  it("rolls back a bundle whose requests fail after its rotation, and says that the alert did it", async (t) => {
    const blocks = (await codeOf("docs/alerts.md", "yaml")).map(
      (code) => [code, parse(code) as Documented] as const,
    );
    const rule = blocks.find(([, { groups }]) => groups)?.[0] ?? assert.fail();
    const alerts = blocks.find(([, { alerts }]) => alerts)?.[1].alerts ?? assert.fail();
    const node = await useEventfulNode(t, { alerts });
    const hostOf = (url: string) => new URL(url).host;
    // What deploy/ has, with the addresses of this test.
    const route = await readFile(join(RULES_FOLDER, "alertmanager.yml"), "utf8");
    const alertmanager = await useAlertmanager(
      t,
      node.folder,
      parse(
        route
          .replace("http://127.0.0.1:9464", node.daemon.adminUrl)
          .replace("/etc/keyturn/admin-token", node.tokenFile),
      ),
    );
    const rulesFile = join(node.folder, "model-errors.rules.yml");
    await writeFile(rulesFile, hurried(rule));
    const target = (url: string, labels: object) => [
      { targets: [hostOf(url)], labels: { instance: "test-node", ...labels } },
    ];
    await usePrometheus(t, node.folder, {
      global: { scrape_interval: "500ms", evaluation_interval: "500ms" },
      rule_files: [rulesFile],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
      scrape_configs: [
        { job_name: "keyturn", static_configs: target(node.daemon.adminUrl, {}) },
        { job_name: "engine", static_configs: target(node.engine.metricsUrl, { bundle: "inference" }) },
      ],
    });
    const before = (await node.daemon.bundle("inference"))?.generation?.id;
    await node.put("inference");
    await until("it is rotated", async () => {
      const bundle = await node.daemon.bundle("inference");
      return bundle?.state === "live" && bundle.generation?.id !== before;
    });

    const acted = await until("the alert had it done", async () => {
      await node.fail();
      return (await node.daemon.bundle("inference"))?.alerts.find(({ result }) => result === "done");
    });

    assert.deepEqual([acted.alert, acted.action], ["ModelErrorsAfterRotation", "rollback"]);
    const bundle = await node.daemon.bundle("inference");
    assert.equal(bundle?.generation?.id, before);
    assert.equal(bundle?.history[0]?.message, "the alert ModelErrorsAfterRotation asked for it");
  });
});
