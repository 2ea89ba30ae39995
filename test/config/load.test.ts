import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { configSchema } from "../../src/config/schema.ts";
import { configOf, problemsOf } from "../support/config.ts";
import { useFolder } from "../support/folder.ts";

describe("a setting", () => {
  const text = "node: from-file\n";
  const env = { KEYTURN_NODE: "from-env" };
  const flags = { "--node": "from-flag" };

  it("comes from the file over its default", async (t) => {
    assert.equal((await configOf(t, text)).node, "from-file");
  });

  it("comes from the environment over the file", async (t) => {
    assert.equal((await configOf(t, text, { env })).node, "from-env");
  });

  it("comes from a flag over the environment", async (t) => {
    assert.equal((await configOf(t, text, { env, flags })).node, "from-flag");
  });

  it("of the environment needs no section in the file", async (t) => {
    const config = await configOf(t, "", { env: { KEYTURN_ETCD_TLS_CA_FILE: "/ca" } });
    assert.deepEqual(config.etcd.tls, { caFile: "/ca" });
  });

  it("of the environment leaves its neighbours in the file alone", async (t) => {
    const config = await configOf(t, "etcd: {prefix: /a/}", { env: { KEYTURN_ETCD_USERNAME: "keyturn" } });
    assert.deepEqual([config.etcd.prefix, config.etcd.username], ["/a/", "keyturn"]);
  });

  it("that is a list may be given with commas", async (t) => {
    const config = await configOf(t, "", { env: { KEYTURN_BUNDLES_INCLUDE: "a, b*" } });
    assert.deepEqual(config.bundles.include, ["a", "b*"]);
  });

  it("that is an empty variable is reported: it could mean nothing, or everything", async (t) => {
    assert.deepEqual(await problemsOf(t, text, { env: { KEYTURN_BUNDLES_INCLUDE: "" } }), [
      "KEYTURN_BUNDLES_INCLUDE: bundles.include.0: expected a bundle name, or a pattern with * and ?",
    ]);
  });

  it("that is a number may be given as text", async (t) => {
    assert.equal((await configOf(t, "", { flags: { "--output-keep": "7" } })).output.keep, 7);
  });

  it("that is wrong in the environment is reported by its variable", async (t) => {
    assert.deepEqual(await problemsOf(t, text, { env: { KEYTURN_OUTPUT_KEEP: "many" } }), [
      "KEYTURN_OUTPUT_KEEP: output.keep: expected a whole number",
    ]);
  });

  it("that is wrong on the command line is reported by its flag", async (t) => {
    const problems = await problemsOf(t, text, { flags: { "--etcd-endpoints": "http://a,ftp://b" } });
    assert.deepEqual(problems, [
      "--etcd-endpoints: etcd.endpoints.1: expected http://host:port or https://host:port",
    ]);
  });

  it("that is wrong in the file is of no matter where a flag stands over it", async (t) => {
    assert.equal((await configOf(t, "node: 5", { flags })).node, "from-flag");
  });

  it("that stands where a section belongs is reported, whatever the environment sets within it", async (t) => {
    assert.deepEqual(await problemsOf(t, "etcd: 5", { env: { KEYTURN_ETCD_PREFIX: "/a/" } }), [
      "keyturn.yaml:1:1: etcd: Invalid input: expected object, received number",
    ]);
  });
});

describe("a key that is no setting", () => {
  for (const [where, text, problem] of [
    [
      "at the top",
      "node: a\nnodes: b\n",
      "keyturn.yaml:2:1: nodes: there is no such setting; did you mean node?",
    ],
    [
      "in a section",
      "etcd:\n  prefx: /a/\n",
      "keyturn.yaml:2:3: etcd.prefx: there is no such setting; did you mean prefix?",
    ],
    [
      "two levels down",
      "etcd:\n  tls: {ca: x}\n",
      "keyturn.yaml:2:9: etcd.tls.ca: there is no such setting; did you mean caFile?",
    ],
    [
      "in a list",
      "services:\n  - name: a\n    bundles: [b]\n    notify: {none: {}}\n    stages: 2\n",
      "keyturn.yaml:5:5: services.0.stages: there is no such setting; did you mean stage?",
    ],
    [
      "deep in a list",
      "services:\n- {name: a, bundles: [b], notify: {http: {url: 'http://x/', uri: y}}}\n",
      "keyturn.yaml:2:61: services.0.notify.http.uri: there is no such setting; did you mean url?",
    ],
    [
      "by the name of a prototype",
      "__proto__: {node: a}\n",
      `keyturn.yaml:1:1: __proto__: there is no such setting; what there is: ${Object.keys(configSchema.shape).join(", ")}`,
    ],
    [
      "by the name of a method",
      "constructor: 1\n",
      `keyturn.yaml:1:1: constructor: there is no such setting; what there is: ${Object.keys(configSchema.shape).join(", ")}`,
    ],
  ] as const) {
    it(`${where} is reported with line and column`, async (t) => {
      assert.deepEqual(await problemsOf(t, text), [problem]);
    });
  }
});

describe("a configuration file", () => {
  it("that is wrong in many places is reported whole", async (t) => {
    const text = "nodes: b\netcd: {prefix: certs}\noutput:\n  keep: 0\n  mode: 600\nlog: {level: loud}\n";
    assert.deepEqual(
      (await problemsOf(t, text)).map((line) => line.split(":").slice(0, 4).join(":")).sort(),
      [
        "keyturn.yaml:1:1: nodes",
        "keyturn.yaml:2:8: etcd.prefix",
        "keyturn.yaml:4:3: output.keep",
        "keyturn.yaml:5:3: output.mode",
        "keyturn.yaml:6:7: log.level",
      ],
    );
  });

  it("that misses a setting is reported at what it is missing in", async (t) => {
    const problems = await problemsOf(t, "services:\n  - bundles: [b]\n    notify: {none: {}}\n");
    assert.deepEqual(problems, ["keyturn.yaml:2:5: services.0.name: expected a name"]);
  });

  it("that is empty gives the defaults", async (t) => {
    assert.deepEqual(await configOf(t, ""), await loadConfig({ file: undefined, env: {}, flags: {} }));
  });

  it("that has only comments gives the defaults", async (t) => {
    assert.equal((await configOf(t, "# nothing yet\n")).etcd.prefix, "/certs/");
  });

  it("that is missing is reported by its path", async (t) => {
    const file = join(await useFolder(t), "none.yaml");
    await assert.rejects(loadConfig({ file, env: {}, flags: {} }), {
      code: "CONFIG_INVALID",
      message: `cannot read ${file}: ENOENT: no such file or directory, open '${file}'; --config and KEYTURN_CONFIG name the file; nothing has to be set, so there may be none`,
    });
  });

  for (const [what, text, place] of [
    ["is not YAML", "etcd: [a\nnode: b\n", "keyturn.yaml:2:1: not YAML"],
    ["has a key twice", "node: a\nnode: b\n", "keyturn.yaml:2:1: not YAML"],
    ["is two documents", "node: a\n---\nnode: b\n", "keyturn.yaml:2:1: not YAML"],
    ["is a list", "- node\n", 'keyturn.yaml:1:1: expected settings, such as "etcd:"'],
    ["is a word", "node\n", 'keyturn.yaml:1:1: expected settings, such as "etcd:"'],
    ["uses an alias that nothing has set", "node: *nobody\n", "keyturn.yaml:1:1: not YAML"],
    ["is a bomb of aliases", bomb(), "keyturn.yaml:1:1: not YAML"],
  ] as const) {
    it(`that ${what} is reported with its place`, async (t) => {
      const problems = await problemsOf(t, text);
      assert.deepEqual([problems.length, problems[0]?.slice(0, place.length)], [1, place]);
    });
  }

  it("may use anchors and aliases", async (t) => {
    const config = await configOf(t, "output: {owner: &who tls, group: *who}\n");
    assert.deepEqual([config.output.owner, config.output.group], ["tls", "tls"]);
  });
});

/** Ten to the sixth elements in a few lines. */
function bomb(): string {
  const lines = ["a0: &a0 [x]"];
  for (let level = 1; level <= 6; level++) {
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(", ")}]`,
    );
  }
  return lines.join("\n");
}
