/** Whatever is put as meta.json: the rotation goes on, what is said of it is short, and the metrics can be read. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { assertReadable } from "../../support/metrics.ts";
import { useStand } from "../../support/stand.ts";
import { until } from "../../support/wait.ts";

const META = "/certs/inference/meta.json";
const BOMBS: Readonly<Record<string, string>> = {
  "deep nesting": `{"labels": ${"[".repeat(200_000)}${"]".repeat(200_000)}}`,
  "what was left open": '{"labels":'.repeat(50_000),
  "10,000 labels": JSON.stringify({
    labels: Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`label_${at}`, "x"])),
  }),
  "a name of a megabyte": JSON.stringify({ labels: { ["x".repeat(1_000_000)]: "x" } }),
  "a name with a line break": JSON.stringify({ labels: { 'a"} 1\nkeyturn_queue_depth 99\n': "x" } }),
  "a reserved name": JSON.stringify({ labels: { digest: "sha256:0" } }),
  __proto__: '{"labels": {"__proto__": {"bundle": "other"}}}',
  "no JSON": "\u001b[2J\u0000".repeat(10_000),
};

describe("a meta.json that is a bomb", () => {
  it("holds no rotation up, and is told of in a few words", async (t) => {
    const { etcd, folder, pki, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const told = () => daemon.log.filter(({ event }) => event === "bundle.labels");

    for (const [at, [what, text]] of Object.entries(BOMBS).entries()) {
      const { whole, leaf } = await pki.make();
      await etcd.put(META, text);
      await etcd.put("/certs/inference", whole);
      await until(`it rotates beside ${what}`, async () => {
        const bundle = await daemon.bundle("inference");
        return bundle?.state === "live" && bundle.generation?.leaf?.fingerprint256 === leaf.fingerprint256;
      });
      const line = JSON.stringify(told()[at]);
      assert.match(line, /META_INVALID/, what);
      assert.ok(line.length < 1_000, `${what}: ${line.length}`);
    }

    const page = await (await fetch(`${daemon.adminUrl}/metrics`)).text();
    assertReadable(page);
    assert.equal(await daemon.metric("keyturn_queue_depth"), 0);
    assert.equal(told().length, Object.keys(BOMBS).length);
    assert.deepEqual((await daemon.bundle("inference"))?.labels, {});
  });
});

describe("labels with anything in them", () => {
  it("stand in metrics that can be read, and in the status as they are", async (t) => {
    const { etcd, folder, pki, settings } = await useStand(t);
    const daemon = await useDaemon(t, folder, settings);
    const labels = {
      quotes: '"} 1\n# HELP x',
      lines: "a\nb\r\nc",
      backslashes: "\\n\\",
      control: "\u0000\u001b[31m\u0085\u2028\u202e",
      constructor: "{}",
    };

    await etcd.put(META, JSON.stringify({ labels }));
    await etcd.put("/certs/inference", (await pki.make()).whole);
    const { labels: shown } = await daemon.untilLive("inference");

    assert.deepEqual(shown, labels);
    const page = await (await fetch(`${daemon.adminUrl}/metrics`)).text();
    assertReadable(page);
    assert.ok(page.includes('quotes="\\"} 1\\n# HELP x"'));
    assert.ok(page.includes('backslashes="\\\\n\\\\"'));
  });
});
