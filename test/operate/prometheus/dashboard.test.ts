/** The dashboard and the alerts on a real Prometheus, which scrapes a real daemon on which everything has happened. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { hurried, metricsIn, RULES_FOLDER, readRules } from "../../support/alert-rules.ts";
import { readDashboard, substitute } from "../../support/dashboard.ts";
import { useEventfulNode } from "../../support/eventful-node.ts";
import { usePrometheus } from "../../support/prometheus.ts";
import { until } from "../../support/wait.ts";

/** What Grafana puts in place of the variables: everything is shown, the last minute at a time. */
const VALUES = {
  job: "keyturn",
  node: ".*",
  bundle: ".*",
  requests: "http_requests_total",
  failed: 'status=~"5.."',
  __rate_interval: "1m",
  __interval: "1m",
};

/** What is rightly 0 on such a node; everything else has to be more. */
const ZERO = [
  "Nodes down, A",
  "Certificates by days left, B",
  "Certificates by days left, C",
  "Certificates by days left, E",
  "Queue, A",
  "Event loop, B",
];

/** Alerts that have to fire after what happened. */
const EXPECTED = [
  "KeyturnCertificateExpired",
  "KeyturnContentQuarantined",
  "KeyturnContentRejected",
  "KeyturnDrift",
  "KeyturnNotReady",
  "KeyturnRolledBack",
  "KeyturnServedMismatch",
];

describe("the dashboard", () => {
  it("is laid out: nothing lies on anything else, every panel is explained, every id is its own", async () => {
    const { panels, rows, schemaVersion } = await readDashboard();
    const all = [...panels, ...rows];
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    assert.ok(schemaVersion >= 39);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of all) {
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.equal(taken.get(`${x},${y}`), undefined, `${title} lies on ${taken.get(`${x},${y}`)}`);
          taken.set(`${x},${y}`, title);
        }
      }
    }
    for (const { title, targets } of panels)
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
  });

  it("uses every variable it has, and no other", async () => {
    const { panels, variables, annotations } = await readDashboard();
    const asked = [
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...variables.map(({ query }) => (typeof query === "string" ? query : query.query)),
      ...annotations,
    ];
    const used = asked.flatMap((text) => [...text.matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name));
    const own = variables.map(({ name }) => name).filter((name) => name !== "datasource");
    assert.deepEqual([...new Set(used)].sort(), own.sort());
  });
});

describe("a real Prometheus", () => {
  it("has data for every panel, takes every rule, and raises the alerts that it should", async (t) => {
    const node = await useEventfulNode(t);
    const rulesFile = join(node.folder, "keyturn.rules.yml");
    await writeFile(rulesFile, hurried(await readFile(join(RULES_FOLDER, "keyturn.rules.yml"), "utf8")));
    const hostOf = (url: string) => new URL(url).host;
    const prometheus = await usePrometheus(t, node.folder, {
      global: { scrape_interval: "500ms", evaluation_interval: "500ms" },
      rule_files: [rulesFile],
      scrape_configs: [
        { job_name: "keyturn", static_configs: [{ targets: [hostOf(node.daemon.adminUrl)] }] },
        {
          job_name: "engine",
          static_configs: [{ targets: [hostOf(node.engine.metricsUrl)], labels: { bundle: "inference" } }],
        },
      ],
    });
    await until("both are scraped", async () => (await prometheus.query("up == 1")).length === 2);
    await node.happen();

    // 1. Every query of every panel.
    const { panels, annotations, variables } = await readDashboard();
    const queries = panels.flatMap(({ title, targets }) =>
      targets.map(({ expr, refId }) => ({ name: `${title}, ${refId}`, expr })),
    );
    const left = new Map(
      [...queries, ...annotations.map((expr) => ({ name: "annotation", expr }))].map(({ name, expr }) => [
        name,
        expr,
      ]),
    );
    const seen = until(
      "there is data",
      async () => {
        await node.goOn();
        for (const [name, expr] of left) {
          const samples = await prometheus.query(substitute(expr, VALUES));
          if (samples.some(({ value }) => value > 0 || (value === 0 && ZERO.includes(name))))
            left.delete(name);
        }
        return left.size === 0;
      },
      90_000,
    );
    await seen.catch((thrown: unknown) => {
      throw new Error(`there is no data for ${[...left.keys()].join("; ")}`, { cause: thrown });
    });

    // 2. What they say is what happened.
    const of = async (title: string, refId = "A") => {
      const expr = panels
        .find((panel) => panel.title === title)
        ?.targets.find((one) => one.refId === refId)?.expr;
      assert.ok(expr, title);
      return prometheus.query(substitute(expr, VALUES));
    };
    const [failures] = await of("Request failures beside days left");
    assert.deepEqual(failures?.metric, {
      node: "127.0.0.1",
      bundle: "inference",
      model_version: "7b-instruct",
      inference_type: "chat",
    });
    assert.ok(failures.value > 0);
    const [days] = await of("Request failures beside days left", "B");
    assert.equal(Math.round(days?.value ?? 0), 30);
    assert.deepEqual(
      (await of("Rejections by code")).map(({ metric }) => [metric.bundle, metric.code]),
      [["chat", "KEY_MISMATCH"]],
    );
    assert.deepEqual(
      (await of("Serve something else")).map(({ value }) => value),
      [1],
    );
    for (const title of ["Expired", "Nodes not ready"]) {
      const shown = async () => (await of(title)).map(({ value }) => value);
      await until(`it is shown: ${title}`, async () => (await shown())[0] === 1);
    }
    assert.ok((await of("Handshake failures")).some(({ metric }) => metric.reason === "wrong_cert"));
    assert.ok((await of("Ways back")).some(({ metric, value }) => metric.reason === "service" && value > 0));

    // 3. Every name in the variables and the rules is that of a metric.
    const known = new Set(
      (await prometheus.query('count by (__name__) ({__name__!=""})')).map(({ metric }) => metric.__name__),
    );
    const { expressions } = await readRules();
    const asked = [
      ...expressions,
      ...queries.map(({ expr }) => expr),
      ...variables.map((one) => JSON.stringify(one.query)),
    ];
    const names = asked.flatMap((text) => metricsIn(text.replaceAll(/keyturn:\w+:\w+/g, "")));
    assert.deepEqual(
      [...new Set(names)].filter((name) => !known.has(name) && !name.startsWith("label_")),
      [],
    );

    // 4. The alerts.
    const unhealthy = (await prometheus.rules()).filter(({ health }) => health !== "ok");
    assert.deepEqual(
      unhealthy.map(({ name, lastError }) => [name, lastError]),
      [],
    );
    const firing = await until("what happened is an alert", async () => {
      const rules = await prometheus.rules();
      const raised = new Map(
        rules.map(({ name, alerts = [] }) => [name, alerts.filter(({ state }) => state === "firing")]),
      );
      return EXPECTED.every((name) => raised.get(name)?.length) && raised;
    });
    assert.equal(firing.get("KeyturnDown")?.length, 0);
    for (const { annotations: texts, labels } of [...firing.values()].flat()) {
      const all = Object.values(texts).join("\n");
      assert.doesNotMatch(all, /<no value>|<error|\{\{/, labels.alertname);
    }
    const [mismatch] = firing.get("KeyturnServedMismatch") ?? [];
    assert.match(
      mismatch?.annotations.summary ?? "",
      /^deaf on 127\.0\.0\.1:\d+ does not serve the current embeddings$/,
    );
  });
});
