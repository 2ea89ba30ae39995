import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runKeyturn } from "../support/daemon.ts";
import { useFolder } from "../support/folder.ts";

const SCHEMA = fileURLToPath(new URL("../../keyturn.schema.json", import.meta.url));

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
