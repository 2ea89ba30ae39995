/** The support bundle of a node that runs, and of one that does not: what can be known is in it, and no secret. */
import assert from "node:assert/strict";
import { readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { runKeyturn, useDaemon, writeConfig } from "../../support/daemon.ts";
import { useEtcd } from "../../support/etcd.ts";
import { useFolder } from "../../support/folder.ts";
import { createBundleMaker } from "../../support/pki.ts";
import { writeSecretful } from "../../support/secretful.ts";
import { until } from "../../support/wait.ts";

describe("keyturn support-bundle", () => {
  it("holds what the daemon says, versions, limits, and files by name, and nothing secret", async (t) => {
    const [etcd, folder, pki] = await Promise.all([useEtcd(t), useFolder(t), createBundleMaker()]);
    const { settings, secrets } = await writeSecretful(folder);
    const daemon = await useDaemon(t, folder, { ...settings, etcd: { endpoints: [etcd.endpoint] } });
    const contents = [await pki.make(), await pki.make()];
    await etcd.put("/certs/inference", contents[0]?.whole ?? "");
    await etcd.put("/certs/other", contents[1]?.whole ?? "");
    await until("both were tried", async () => {
      const { bundles } = await daemon.status();
      return bundles.filter(({ lastReload }) => lastReload !== null).length === 2;
    });
    const keys = await Promise.all(
      ["inference", "other"].map((name) => readFile(join(daemon.outputDir, name, "tls.key"), "utf8")),
    );

    const file = join(folder, "support.json.gz");
    const listen = new URL(daemon.adminUrl).host;
    const args = ["support-bundle", file, "--config", daemon.configFile, "--admin-listen", listen];
    const { code, stderr } = await runKeyturn(args);

    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /warning/);
    const text = gunzipSync(await readFile(file)).toString();
    for (const [what, secret] of secrets) assert.ok(!text.includes(secret), what);
    const lines = keys.flatMap((key) =>
      key.split("\n").filter((line) => line.length > 8 && !line.startsWith("-")),
    );
    assert.ok(lines.length >= 4);
    for (const line of lines) assert.ok(!text.includes(line), "a private key");
    assert.doesNotMatch(text, /BEGIN/);

    const content = JSON.parse(text);
    assert.deepEqual(
      content.status.bundles.map(({ name }: { name: string }) => name),
      ["inference", "other"],
    );
    assert.match(text, /talker: sh ended with 1: told: -u \| told: \[secret\]/);
    assert.equal(content.history.length, 2);
    assert.equal(content.history[0].generations.length, 1);
    assert.ok(content.metrics.some((line: string) => line.startsWith("keyturn_build_info{")));
    assert.equal(content.etcd.answers, true);
    assert.equal(content.limits.daemon.pid, String(daemon.process.pid));
    const key = content.output.entries.find(({ path }: { path: string }) =>
      /000001-.*\/tls\.key$/.test(path),
    );
    assert.deepEqual([key.kind, key.mode], ["file", "0600"]);
    const current = content.output.entries.find(({ path }: { path: string }) =>
      path.endsWith("inference/current"),
    );
    assert.match(current.to, /^\.generations\/000001-/);
  });
});

describe("keyturn support-bundle, where no daemon runs", () => {
  it("writes what there is, says what is missing and why, and holds no secret", async (t) => {
    const folder = await useFolder(t);
    const { settings, secrets, flags } = await writeSecretful(folder);
    const admin = { ...(settings.admin as object), listen: "127.0.0.1:1" };
    const etcd = { endpoints: ["http://127.0.0.1:1"] };
    const { configFile } = await writeConfig(folder, { ...settings, admin, etcd });
    const file = join(folder, "support.json.gz");

    const { code, stderr } = await runKeyturn(["support-bundle", file, "--config", configFile, ...flags]);

    assert.equal(code, 0, stderr);
    assert.match(stderr, /no status, readiness, history, metrics in it: DAEMON_UNREACHABLE/);
    assert.match(stderr, /no etcd in it: CONFIG_INVALID/);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const text = gunzipSync(await readFile(file)).toString();
    for (const [what, secret] of secrets) assert.ok(!text.includes(secret), what);
    const { configuration, versions, files, limits } = JSON.parse(text);
    assert.equal(configuration.config.etcd.passwordFile, join(folder, "secrets", "password"));
    assert.equal(configuration.config.services[0].notify.http.url, "http://127.0.0.1:1/?token=[secret]");
    assert.deepEqual(configuration.config.services[1].notify.exec.argv.slice(0, 2), ["false", "--password"]);
    assert.equal(versions.node, process.versions.node);
    assert.ok(limits.asker.limits.some((line: string) => line.startsWith("Max open files")));
    const password = files.find(({ setting }: { setting: string }) => setting === "etcd.passwordFile");
    assert.deepEqual([password.kind, password.mode], ["file", "0600"]);
  });

  it("is written where the configuration is wrong, with what is wrong with it", async (t) => {
    const folder = await useFolder(t);
    const config = join(folder, "keyturn.yaml");
    await writeFile(config, "etcd: {prefx: /a/}\n");
    const file = join(folder, "support.json.gz");
    const { code } = await runKeyturn(["support-bundle", file, "--config", config]);
    const { configuration, status } = JSON.parse(gunzipSync(await readFile(file)).toString());
    assert.equal(code, 0);
    assert.match(configuration.problems[0], /etcd\.prefx: there is no such setting/);
    assert.match(status.missing, /check-config/);
  });

  it("writes over nothing, and not through a link, unless it is told to", async (t) => {
    const folder = await useFolder(t);
    const [file, target] = [join(folder, "support.json.gz"), join(folder, "precious")];
    await writeFile(target, "precious");
    await symlink(target, file);
    const args = [
      "support-bundle",
      file,
      "--admin-listen",
      "127.0.0.1:1",
      "--etcd-endpoints",
      "http://127.0.0.1:1",
    ];
    const refused = await runKeyturn(args);
    const forced = await runKeyturn([...args, "--force"]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /is there already: name another file, or say --force/);
    assert.equal(forced.code, 0, forced.stderr);
    assert.equal(await readFile(target, "utf8"), "precious");
    assert.ok(JSON.parse(gunzipSync(await readFile(file)).toString()).format === 1);
  });
});
