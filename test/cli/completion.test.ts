/** Completion in a real bash. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { createProgram } from "../../src/cli/commands.ts";
import { completionOf } from "../../src/cli/completion.ts";
import { shapeOf } from "../../src/cli/shape.ts";
import { runKeyturn, useDaemon } from "../support/daemon.ts";
import { historyOf, useFalseAdmin } from "../support/false-admin.ts";
import { useFolder } from "../support/folder.ts";
import { useKeyturnOnPath } from "../support/keyturn-on-path.ts";
import type { Scope } from "../support/scope.ts";
import { useStand } from "../support/stand.ts";
import { until } from "../support/wait.ts";

const run = promisify(execFile);
const program = createProgram(() => undefined);
const GENERATIONS = ["000001-0123abcd", "000002-4567ef01", "000003-89ab2345"];

describe("completion in bash", () => {
  const ends: (() => void | Promise<void>)[] = [];
  const scope: Scope = { after: (end) => void ends.unshift(end) };
  let folder = "";
  let path = "";
  before(async () => {
    folder = await useFolder(scope);
    path = [await useKeyturnOnPath(scope), process.env.PATH].join(delimiter);
    await writeFile(join(folder, "completion.bash"), completionOf("bash", program));
    await mkdir(join(folder, "output", "inference"), { recursive: true });
    await mkdir(join(folder, "output", "embeddings"));
    await writeFile(join(folder, "tls crt.pem"), "");
    await writeFile(join(folder, "keyturn.yaml"), "output: {dir: output}\nadmin: {listen: '127.0.0.1:1'}\n");
  });
  after(async () => {
    for (const end of ends) await end();
  });

  /** What is offered for the last word. */
  const complete = async (...words: readonly string[]) => {
    const script = `source ./completion.bash
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _keyturn; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = await run("bash", ["--norc", "-c", script, "bash", "keyturn", ...words], {
      cwd: folder,
      env: { ...process.env, PATH: path },
    });
    assert.equal(stderr, "");
    return stdout.split("\n").filter((line) => line !== "");
  };

  for (const [what, words, offered] of [
    ["a command", ["st"], ["status"]],
    ["commands, and none that is hidden", ["ro"], ["rollback"]],
    ["flags of the program", ["--v"], ["--version"]],
    ["flags of a command", ["put", "--c"], ["--cert", "--ca", "--crl", "--config", "--checks-profile", "*"]],
    ["no setting that the command's help does not name", ["status", "--log"], []],
    ["every setting for the daemon", ["run", "--log"], ["--log-level", "--log-format"]],
    ["names of bundles", ["status", "inf"], ["inference"]],
    [
      "names of bundles behind others, and behind flags",
      ["status", "--json", "inference", "emb"],
      ["embeddings"],
    ],
    ["one name where there is one", ["history", "inference", "emb"], []],
    ["the name a flag takes", ["inspect", "--name", "emb"], ["embeddings"]],
    ["the name a flag takes after =", ["inspect", "--name", "=", "emb"], ["embeddings"]],
    ["names with another configuration", ["status", "--config", "nowhere.yaml", "inf"], []],
    ["names behind an address", ["status", "--admin-listen", "127.0.0.1", ":", "1", "inf"], ["inference"]],
    ["files", ["inspect", "tls"], ["tls crt.pem"]],
    ["a name, then a file", ["put", "inference", "tls"], ["tls crt.pem"]],
    ["files a flag takes", ["put", "inference", "--cert", "tls"], ["tls crt.pem"]],
    ["folders a flag takes", ["run", "--output-dir", "o"], ["output"]],
    ["the few values of a setting", ["run", "--log-format", ""], ["auto", "json", "text"]],
    ["nothing for any other value", ["run", "--node", ""], []],
    ["shells", ["completion", ""], ["bash", "zsh", "fish"]],
    ["commands to be helped with", ["help", "st"], ["status"]],
  ] as const) {
    it(`offers ${what}: ${words.join(" ")}`, async () => {
      const found = await complete(...words);
      const known = offered.filter((word) => word !== "*");
      if (known.length === offered.length) assert.deepEqual(found.sort(), [...known].sort());
      else for (const word of known) assert.ok(found.includes(word), `${word} in ${found}`);
    });
  }

  it("offers the generations of the bundle that is rolled back, wherever its name stands", async () => {
    const port = await useFalseAdmin(scope, { "/bundles/inference/history": historyOf(GENERATIONS) });
    const there = ["--admin-listen", "127.0.0.1", ":", port];
    const earlier = GENERATIONS.slice(0, 2);
    assert.deepEqual(await complete("rollback", "inference", ...there, "--to", ""), earlier);
    assert.deepEqual(await complete("rollback", ...there, "inference", "--to", "=", "000002"), [earlier[1]]);
    for (const name of ["other", "..", "$(touch run)"]) {
      assert.deepEqual(await complete("rollback", name, ...there, "--to", ""), [], name);
    }
    assert.deepEqual(await complete("rollback", ...there, "--to", ""), []);
    assert.ok(!(await readdir(folder)).includes("run"));
  });

  it("runs nothing that is in a name, whoever answers in place of the daemon", async () => {
    const names = ["inference", "$(touch run)", "`touch run`", "a;touch run", "b\u001b[2J"];
    const port = await useFalseAdmin(scope, {
      "/status": { bundles: names.map((name) => ({ name })) },
      "/bundles/inference/history": historyOf(["000001-0123abcd", ...names]),
    });
    const there = ["--admin-listen", "127.0.0.1", ":", port];
    assert.deepEqual(await complete("status", ...there, ""), ["inference"]);
    assert.deepEqual(await complete("rollback", "inference", ...there, "--to", ""), ["000001-0123abcd"]);
    assert.ok(!(await readdir(folder)).includes("run"));
  });

  it("knows every command, and every flag that its help names", async () => {
    for (const { name, options } of shapeOf(program)) {
      const flags = options.filter(({ isHidden }) => !isHidden).map(({ long }) => long);
      const found = await complete(name, "--");
      assert.deepEqual(found.sort(), flags.sort(), name);
    }
  });
});

describe("keyturn bundle-names", () => {
  it("is silent where there is nothing to name, and where the configuration is wrong", async (t) => {
    const folder = await useFolder(t);
    const file = join(folder, "keyturn.yaml");
    await writeFile(file, "nodes: a\n");
    const results = await Promise.all([
      runKeyturn(["bundle-names", "--config", file]),
      runKeyturn(["bundle-names", "--output-dir", join(folder, "none"), "--admin-listen", "127.0.0.1:1"]),
    ]);
    for (const { code, stdout, stderr } of results) assert.deepEqual([code, stdout, stderr], [0, "", ""]);
  });
});

describe("keyturn generation-names", () => {
  it("names the generations that the daemon can go back to", async (t) => {
    const { etcd, folder, pki, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const names: string[] = [];
    for (let at = 0; at < 3; at++) {
      await etcd.put("/certs/inference", (await pki.make()).whole);
      names.push(
        await until("it is live", async () => {
          const id = (await daemon.untilLive("inference")).generation?.id;
          return id === undefined || names.includes(id) ? undefined : id;
        }),
      );
    }
    const listen = ["--admin-listen", new URL(daemon.adminUrl).host];
    const { code, stdout } = await runKeyturn(["generation-names", "inference", ...listen]);
    assert.deepEqual([code, stdout], [0, `${names[0]}\n${names[1]}\n`]);
  });

  it("is silent where there is nothing to name", async (t) => {
    const listen = ["--admin-listen", "127.0.0.1:1"];
    const wrong = join(await useFolder(t), "keyturn.yaml");
    await writeFile(wrong, "nodes: a\n");
    const results = await Promise.all([
      runKeyturn(["generation-names", ...listen]),
      runKeyturn(["generation-names", "inference", ...listen]),
      runKeyturn(["generation-names", "../x", ...listen]),
      runKeyturn(["generation-names", "inference", "--config", wrong]),
    ]);
    for (const { code, stdout, stderr } of results) assert.deepEqual([code, stdout, stderr], [0, "", ""]);
  });
});
