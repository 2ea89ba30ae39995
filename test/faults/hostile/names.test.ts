/** Names that mean something to JavaScript are names as any other; keys that are no names do nothing and cost nothing. */
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runKeyturn, useDaemon } from "../../support/daemon.ts";
import { useStand } from "../../support/stand.ts";
import { until } from "../../support/wait.ts";
import { useWriter } from "../../support/writer.ts";

const NAMES = ["constructor", "tostring", "valueof", "hasownproperty", "prototype"];

describe("a bundle whose name is a word of JavaScript", () => {
  it("goes live, is shown, measured and put back like any other", async (t) => {
    const { etcd, folder, receiver, pki, settings } = await useStand(t);
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, "let-me-in\n", { mode: 0o600 });
    const admin = { listen: "127.0.0.1:0", tokenFile };
    const daemon = await useDaemon(t, folder, { ...settings, admin });
    const listen = new URL(daemon.adminUrl).host;
    const keyturn = (...argv: string[]) =>
      runKeyturn([...argv, "--config", daemon.configFile, "--admin-listen", listen]);
    const [first, second] = await Promise.all([pki.make(), pki.make()]);
    const serves = (name: string, { leaf }: typeof first) =>
      until(`${name} is live`, async () => {
        const bundle = await daemon.bundle(name);
        return bundle?.live && bundle.generation?.leaf?.fingerprint256 === leaf.fingerprint256;
      });

    for (const name of NAMES) await etcd.put(`/certs/${name}`, first.whole);
    for (const name of NAMES) await serves(name, first);
    const labels = Object.fromEntries(NAMES.map((name) => [name, name]));
    for (const name of NAMES) {
      await etcd.put(`/certs/${name}/meta.json`, JSON.stringify({ labels }));
      await etcd.put(`/certs/${name}`, second.whole);
    }
    for (const name of NAMES) await serves(name, second);

    const status = await keyturn("status");
    for (const name of NAMES) {
      assert.match(status.stdout, new RegExp(`^${name} +live `, "m"));
      const reloads = await daemon.metric("keyturn_reloads_total", { bundle: name, outcome: "live" });
      assert.equal(reloads, 2, name);
      const served = { bundle: name, constructor: "constructor", valueof: "valueof" };
      assert.equal(await daemon.metric("keyturn_bundle_info", served), 1, name);
      assert.deepEqual((await daemon.bundle(name))?.labels, labels, name);

      const history = await keyturn("history", name);
      assert.equal(history.stdout.trim().split("\n").length, 3, history.stdout);
      const back = await keyturn("rollback", name);
      assert.equal(back.code, 0, back.stderr);
      await serves(name, first);
    }
    assert.equal(await daemon.metric("keyturn_rejections_total"), 0);
    const hooks = receiver.hooks.map(({ event }) => event.data.bundle);
    for (const name of NAMES) assert.equal(hooks.filter((one) => one === name).length, 3, name);
  });
});

describe("a key that is no name", () => {
  it("is ignored, counted and told of once, and cannot name a path", async (t) => {
    const { etcd, folder, receiver, pki, settings } = await useStand(t);
    const writer = useWriter(t, etcd.endpoint);
    const daemon = await useDaemon(t, folder, settings);
    const { whole } = await pki.make();
    const keys: readonly (string | Buffer)[] = [
      "/certs/__proto__",
      "/certs/__proto__/tls.crt",
      "/certs/toString",
      "/certs/..",
      "/certs/../tls.key",
      "/certs/%2e%2e",
      "/certs/a\nb",
      "/certs/a\n",
      "/certs/a\0",
      "/certs/a/tls.crt\0",
      "/certs/\u202eevil",
      `/certs/${"a".repeat(64)}`,
      `/certs/${"a".repeat(1_000_000)}`,
      Buffer.concat([Buffer.from("/certs/a"), Buffer.from([0xff, 0xfe])]),
    ];

    for (let round = 1; round <= 2; round++) {
      for (const key of keys) await writer.put(key, whole);
      await until("all are counted", async () => {
        const count = await daemon.metric("keyturn_events_total", { result: "ignored" });
        return count === round * keys.length;
      });
    }
    await writer.put("/certs/good", whole);
    await daemon.untilLive("good");

    const told = daemon.log.filter(({ event }) => event === "key.ignored");
    assert.equal(told.length, keys.length);
    for (const line of told) assert.ok(JSON.stringify(line).length < 2_000);
    const { bundles, ignoredKeys } = await daemon.status();
    assert.deepEqual(
      bundles.map(({ name }) => name),
      ["good"],
    );
    assert.equal(ignoredKeys, 2 * keys.length);
    assert.deepEqual((await readdir(daemon.outputDir)).sort(), [".lock", "good"]);
    assert.deepEqual((await readdir(folder)).sort(), ["keyturn.yaml", "output"]);
    assert.equal(receiver.hooks.length, 1);
  });
});
