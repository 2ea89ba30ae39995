/** The runbooks: each alert has its section, each section what a runbook has to have, and its commands work. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { readRules } from "../../support/alert-rules.ts";
import { useEventfulNode } from "../../support/eventful-node.ts";
import { codeBlocks, headingsOf, sectionsOf } from "../../support/markdown.ts";
import { usePrometheus } from "../../support/prometheus.ts";
import { useReaderShell } from "../../support/reader-shell.ts";
import { until } from "../../support/wait.ts";

const PAGE = "docs/runbooks.md";
const ALERTS_PAGE = "docs/alerts.md";

describe("the runbooks", () => {
  it("have a section for each alert, and none without", async () => {
    const { alerts } = await readRules();
    assert.deepEqual([...(await headingsOf(PAGE, 2))].sort(), alerts.map(({ alert }) => alert).sort());
    for (const { alert, annotations } of alerts)
      assert.equal(annotations.runbook_url, `${PAGE}#${alert.toLowerCase()}`);
  });

  it("say of each what users notice, what to run first, what is likely, how to fix it and when to escalate", async () => {
    for (const { heading, text } of await sectionsOf(PAGE, 2)) {
      for (const part of ["**Users notice**", "```sh", "**Likely**", "**Fix**", "**Escalate**"])
        assert.ok(text.includes(part), `${heading} lacks ${part}`);
    }
  });

  it("have commands that work, on a node where all of that has happened; so has docs/alerts.md", async (t) => {
    const shell = await useNodeShell(t);

    // Each command of the runbooks once: many begin with the same.
    const whereByCommand = new Map<string, string>();
    const blocks = (await codeBlocks(PAGE)).filter(({ language }) => language === "sh");
    for (const { heading, code } of blocks) {
      for (const command of code.trim().split("\n"))
        whereByCommand.set(command, whereByCommand.get(command) ?? heading);
    }
    for (const [command, where] of whereByCommand) {
      const { said, failed } = await shell(command);
      // keyturn says no by 1: not ready, or nothing to roll back.
      const isNo = failed.every(({ code, command: one }) => code === 1 && one.startsWith("keyturn "));
      assert.ok(isNo && said.trim() !== "", `${where}: ${command}\n${said}`);
    }

    for (const { language, heading, code } of await codeBlocks(ALERTS_PAGE)) {
      if (language !== "sh") continue;
      const { said, failed } = await shell(code);
      assert.deepEqual(failed, [], `${heading}\n${said}`);
    }

    // And what does not work would be seen.
    const { failed } = await shell("keyturn statuss\nkeyturn status --nonsense\nno-such-program\n");
    assert.deepEqual(
      failed.map(({ code }) => code),
      [2, 2, 127],
    );
  });
});

/** A shell on a node on which much has happened, with a Prometheus that looks at it. */
async function useNodeShell(t: TestContext) {
  const node = await useEventfulNode(t);
  const prometheus = await usePrometheus(t, node.folder, {
    global: { scrape_interval: "500ms" },
    scrape_configs: [
      { job_name: "keyturn", static_configs: [{ targets: [new URL(node.daemon.adminUrl).host] }] },
    ],
  });
  await node.happen();
  const bundle = 'keyturn_bundle_info{bundle="inference"}';
  await until("the bundle is scraped", async () => (await prometheus.query(bundle)).length > 0);
  return useReaderShell(t, {
    folder: node.folder,
    env: { KEYTURN_ADMIN_LISTEN: new URL(node.daemon.adminUrl).host, ETCDCTL_ENDPOINTS: node.etcd.endpoint },
    places: {
      "127.0.0.1:9464": new URL(node.daemon.adminUrl).host,
      "127.0.0.1:8443": `127.0.0.1:${node.engine.port}`,
      "127.0.0.1:9090": new URL(prometheus.url).host,
      "/var/lib/keyturn": node.daemon.outputDir,
      "/etc/keyturn/admin-token": node.tokenFile,
    },
  });
}
