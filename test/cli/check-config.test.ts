import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runKeyturn } from "../support/daemon.ts";
import { useFolder } from "../support/folder.ts";

const SCHEMA = fileURLToPath(new URL("../../keyturn.schema.json", import.meta.url));

/** A value for every setting that is read as something else than it is written as. */
const EVERYTHING = `
node: gpu-017
output: { mode: "640", auditEvery: 60s }
checks:
  settle: 0s
  maxValidity: 2160h
  rules: [{ bundles: ["*"], minRemaining: 90m, maxValidity: 1d, allowCriticalOids: ["1.3"] }]
services:
  - name: engine
    bundles: [inference]
    notify: { http: { url: "http://127.0.0.1:1/", timeout: 0.5s } }
    verify:
      tls: { address: "[::1]:8443", within: 0.25s }
      http: { url: "http://127.0.0.1:1/", within: 24h }
      every: 7m
    files:
      - { path: /srv/a, content: cert, mode: "0644" }
      - { path: /srv/b, content: combined, mode: "600" }
  - { name: a, bundles: [b], notify: { exec: { argv: ["0x1", "true", "~", "a: b", "é\\n"], timeout: 1h } } }
  - { name: c, bundles: [d], notify: { haproxy: { socketPath: /run/haproxy.sock, timeout: 1ms } } }
expiry: { warnAt: [1.5d, 2d] }
renewal: { http: { url: "https://127.0.0.1:1/" } }
alerts: { per: 2h, rules: [{ alert: "On", do: retry, per: 3h, cooldown: 0ms, within: 4h }] }
admin: { listen: ":9464" }
`;

describe("keyturn check-config", () => {
  it("warns of what is likely a mistake, and exits 0", async (t) => {
    const folder = await useFolder(t);
    const [config, token] = [join(folder, "keyturn.yaml"), join(folder, "token")];
    const missing = join(folder, "password");
    await writeFile(token, "open sesame\n");
    await chmod(token, 0o644);
    await writeFile(config, `admin: {tokenFile: ${token}}\netcd: {username: a, passwordFile: ${missing}}\n`);

    const args = ["check-config", "--config", config];
    const [text, json] = await Promise.all([runKeyturn(args), runKeyturn([...args, "--json"])]);

    assert.deepEqual([text.code, json.code], [0, 0]);
    assert.deepEqual(text.stderr.split("\n"), [
      `keyturn: warning: etcd.passwordFile: ${missing} is not there`,
      `keyturn: warning: admin.tokenFile: ${token} is open to everybody on this machine: chmod o= ${token}`,
      "",
    ]);
    const { ok, warnings } = JSON.parse(json.stdout);
    assert.equal(ok, true);
    assert.deepEqual(
      warnings.map(({ setting }: { setting: string }) => setting),
      ["etcd.passwordFile", "admin.tokenFile"],
    );
  });

  it("prints what is in force as it is written, which gives the same where it is read again", async (t) => {
    const folder = await useFolder(t);
    const [config, printed] = [join(folder, "keyturn.yaml"), join(folder, "printed.yaml")];
    await writeFile(config, EVERYTHING);
    const check = (file: string, ...more: string[]) =>
      runKeyturn(["check-config", "--config", file, ...more]);
    const first = await check(config, "--queue-splay", "1500ms");
    await writeFile(printed, first.stdout);

    const [again, asked, read] = await Promise.all([
      check(printed),
      check(config, "--queue-splay", "1500ms", "--json"),
      check(printed, "--json"),
    ]);

    assert.deepEqual([first.code, again.code], [0, 0], first.stderr + again.stderr);
    assert.deepEqual(JSON.parse(read.stdout).config, JSON.parse(asked.stdout).config);
    assert.equal(again.stdout.replace(printed, config), first.stdout);
    for (const line of [
      "  resyncEvery: 5m",
      '  mode: "0640"',
      "  splay: 1500ms",
      "  settle: 0s",
      "  maxValidity: 90d",
      '        mode: "0600"',
      '        address: "[::1]:8443"',
      "        within: 250ms",
      "    - 36h",
      "  listen: 0.0.0.0:9464",
    ]) {
      assert.ok(first.stdout.split("\n").includes(line), `${line} in ${first.stdout}`);
    }
  });

  it("prints the JSON Schema", async () => {
    const { code, stdout } = await runKeyturn(["check-config", "--schema"]);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), JSON.parse(await readFile(SCHEMA, "utf8")));
  });

  it("says in JSON what is wrong", async (t) => {
    const config = join(await useFolder(t), "keyturn.yaml");
    await writeFile(config, "etcd: {prefx: /a/}\n");
    const { code, stdout } = await runKeyturn(["check-config", "--config", config, "--json"]);
    assert.equal(code, 2);
    assert.deepEqual(JSON.parse(stdout), {
      ok: false,
      file: config,
      problems: [`${config}:1:8: etcd.prefx: there is no such setting; did you mean prefix?`],
    });
  });
});
