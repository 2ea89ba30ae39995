/** The alert rules by themselves: Prometheus takes them, each alert is tried firing and silent, and each has its runbook. */
import assert from "node:assert/strict";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { metricsIn, RULES_FOLDER, readRules, readRuleTests } from "../../support/alert-rules.ts";
import { readMounts } from "../../support/compose.ts";
import { useFolder } from "../../support/folder.ts";
import { check } from "../../support/prometheus.ts";

const ROOT = join(RULES_FOLDER, "../..");

describe("the alert rules", () => {
  it("are what Prometheus reads", async () => {
    assert.match(await check("promtool", ["check", "rules", "keyturn.rules.yml"], RULES_FOLDER), /SUCCESS/);
  });

  it("fire where they should and are silent where they should be", async () => {
    assert.match(
      await check("promtool", ["test", "rules", "keyturn.rules.test.yml"], RULES_FOLDER),
      /SUCCESS/,
    );
  });

  it("would not pass with another threshold", async (t) => {
    const folder = await useFolder(t);
    const rules = await readFile(join(RULES_FOLDER, "keyturn.rules.yml"), "utf8");
    await writeFile(join(folder, "keyturn.rules.yml"), rules.replace("ratio < 0.2", "ratio < 0.5"));
    const tests = await readFile(join(RULES_FOLDER, "keyturn.rules.test.yml"), "utf8");
    // All up to those of the alert: the ones after it take time and say nothing of it.
    const [few = ""] = tests.split('  - name: "KeyturnCertificateExpiresIn1Day');
    await writeFile(join(folder, "keyturn.rules.test.yml"), few);

    await assert.rejects(check("promtool", ["test", "rules", "keyturn.rules.test.yml"], folder));
  });

  it("have a firing and a silent case each, and no case without an alert", async () => {
    const { alerts } = await readRules();
    const tests = await readRuleTests();
    for (const fires of [true, false]) {
      const tried = new Set(tests.filter((test) => test.fires === fires).map(({ alert }) => alert));
      assert.deepEqual([...tried].sort(), alerts.map(({ alert }) => alert).sort(), `fires: ${fires}`);
    }
  });

  it("have cases that feed a metric the alert is about, silent ones too", async () => {
    const { alerts } = await readRules();
    const left = /keyturn:certificate_left:\w+/g;
    const exprOf = new Map(
      alerts.map(({ alert, expr }) => [alert, expr.replaceAll(left, "tls_cert_not_after_seconds")]),
    );
    for (const { name, alert = "", series } of await readRuleTests()) {
      const wanted = metricsIn(exprOf.get(alert) ?? "");
      const fed = series.map((one) => one.replace(/\{.*/, ""));
      assert.ok(
        fed.some((metric) => wanted.includes(metric)),
        name,
      );
    }
  });

  it("say what to do, with names in it", async () => {
    for (const { alert, annotations } of (await readRules()).alerts) {
      const { summary, description } = annotations;
      assert.ok(description.length > summary.length, alert);
      if (alert === "KeyturnAbsent") continue;
      assert.match(summary, /\{\{ \$labels\.\w+ \}\}/, alert);
    }
  });
});

describe("the configuration beside them", () => {
  it("is what Prometheus reads, rules and all", async () => {
    const said = await check("promtool", ["check", "config", "prometheus.yml"], RULES_FOLDER);
    assert.match(said, /keyturn\.rules\.yml[\s\S]*rules found/);
  });

  it("is what Alertmanager reads", async () => {
    assert.match(await check("amtool", ["check-config", "alertmanager.yml"], RULES_FOLDER), /SUCCESS/);
  });

  for (const [what, labels, receivers] of [
    ["an alert", ["alertname=KeyturnDown", "severity=critical"], "on-call"],
    [
      "an alert of the closed loop, which people get too",
      ["alertname=ModelErrorsAfterRotation"],
      "keyturn,on-call",
    ],
  ] as const) {
    it(`sends ${what} to ${receivers}`, async () => {
      const words = ["config", "routes", "test", "--config.file=alertmanager.yml", ...labels];
      assert.equal((await check("amtool", words, RULES_FOLDER)).trim(), receivers);
    });
  }

  it("is what Prometheus reads in the compose stack, with the same rules", async (t) => {
    const folder = await useFolder(t);
    const mounts = (await readMounts()).filter(({ target }) => target.startsWith("/etc/prometheus/"));
    for (const { source, target } of mounts)
      await copyFile(join(ROOT, source), join(folder, target.replace("/etc/prometheus/", "")));

    const said = await check("promtool", ["check", "config", "prometheus.yml"], folder);

    assert.match(said, /keyturn\.rules\.yml[\s\S]*rules found/);
  });
});
