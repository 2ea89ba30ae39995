import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { freePorts } from "../../src/dev/etcd.ts";
import { useDaemon } from "../support/daemon.ts";
import { useEtcd } from "../support/etcd.ts";
import { useFolder } from "../support/folder.ts";
import { useHookReceiver } from "../support/hook-receiver.ts";
import { createBundleMaker } from "../support/pki.ts";
import { stays, until } from "../support/wait.ts";

async function setUp(t: TestContext) {
  return Promise.all([useEtcd(t), useFolder(t), createBundleMaker()]);
}

describe("a service", () => {
  it("that is down at start is pending, not an error, and is told when it comes up", async (t) => {
    const [etcd, folder, pki] = await setUp(t);
    const [port = 0] = await freePorts(1);
    const http = { url: `http://127.0.0.1:${port}/-/reload`, attempts: 2 };
    const services = [{ name: "vllm", bundles: ["*"], notify: { http } }];
    const daemon = await useDaemon(t, folder, { etcd: { endpoints: [etcd.endpoint] }, services });

    await etcd.put("/certs/inference.pem", (await pki.make()).whole);
    const pending = await until("it is on disk", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.state === "current" ? bundle : undefined;
    });
    const receiver = await useHookReceiver(t, { port });
    await daemon.untilLive("inference");

    assert.equal(pending.lastReload?.outcome, "pending");
    assert.match(pending.lastReload?.message ?? "", /vllm cannot be reached \(ECONNREFUSED\)/);
    assert.equal(daemon.log.filter(({ level }) => level === "error").length, 0);
    assert.equal(receiver.hooks.length, 1);
    assert.equal(receiver.hooks[0]?.event.data.reason, "retried");
  });

  it("that was away while its files were removed finds them there when it is told", async (t) => {
    const [etcd, folder, pki] = await setUp(t);
    const [port = 0] = await freePorts(1);
    const http = { url: `http://127.0.0.1:${port}/-/reload`, attempts: 1 };
    const services = [{ name: "vllm", bundles: ["*"], notify: { http } }];
    const daemon = await useDaemon(t, folder, { etcd: { endpoints: [etcd.endpoint] }, services });
    const { whole } = await pki.make();
    await etcd.put("/certs/inference.pem", whole);
    await until("it is pending", async () => (await daemon.bundle("inference"))?.state === "current");

    await rm(join(daemon.outputDir, "inference"), { recursive: true });
    const read: string[] = [];
    await useHookReceiver(t, {
      port,
      answer: async ({ event }, respond) => {
        read.push(await readFile(event.data.paths.combined ?? "", "utf8").catch(String));
        respond.writeHead(204).end();
      },
    });
    await daemon.untilLive("inference");

    assert.deepEqual(
      read.map((content) => content.includes("PRIVATE KEY")),
      [true],
    );
  });

  it("that refuses is told again, while one that took it is left in peace", async (t) => {
    const [etcd, folder, pki] = await setUp(t);
    let refuse = true;
    const [good, moody] = await Promise.all([
      useHookReceiver(t),
      useHookReceiver(t, {
        answer: (_hook, respond) => {
          respond.writeHead(refuse ? 409 : 204).end();
          refuse = false;
        },
      }),
    ]);
    const services = [
      { name: "good", bundles: ["*"], notify: { http: { url: good.url } } },
      { name: "moody", bundles: ["*"], notify: { http: { url: moody.url } } },
    ];
    const daemon = await useDaemon(t, folder, { etcd: { endpoints: [etcd.endpoint] }, services });

    await etcd.put("/certs/inference.pem", (await pki.make()).whole);
    await daemon.untilLive("inference");

    assert.equal(good.hooks.length, 1);
    assert.equal(moody.hooks.length, 2);
    const reload = (outcome: string) =>
      daemon.metric("keyturn_reloads_total", { bundle: "inference", outcome });
    assert.deepEqual([await reload("failed"), await reload("live")], [1, 1]);
  });

  it("of a later stage is told after those of an earlier one have answered", async (t) => {
    const [etcd, folder, pki] = await setUp(t);
    const proxy = await useHookReceiver(t);
    const engine = await useHookReceiver(t, {
      answer: async (_hook, respond) => {
        await stays(() => proxy.hooks.length === 0, "the proxy is not told yet", 300);
        respond.writeHead(204).end();
      },
    });
    const services = [
      { name: "proxy", stage: 2, bundles: ["*"], notify: { http: { url: proxy.url } } },
      { name: "engine", stage: 1, bundles: ["*"], notify: { http: { url: engine.url } } },
    ];
    const daemon = await useDaemon(t, folder, { etcd: { endpoints: [etcd.endpoint] }, services });

    await etcd.put("/certs/inference.pem", (await pki.make()).whole);
    await daemon.untilLive("inference");

    assert.deepEqual([engine.hooks.length, proxy.hooks.length], [1, 1]);
  });

  it("is left alone when a bundle changes that it does not use", async (t) => {
    const [etcd, folder, pki] = await setUp(t);
    const receiver = await useHookReceiver(t);
    const services = [{ name: "vllm", bundles: ["inference-*"], notify: { http: { url: receiver.url } } }];
    const bundles = { exclude: ["other-*"] };
    const daemon = await useDaemon(t, folder, { etcd: { endpoints: [etcd.endpoint] }, services, bundles });

    const { whole } = await pki.make();
    await etcd.put("/certs/other-node", whole);
    await etcd.put("/certs/mesh", whole);
    await etcd.put("/certs/inference-7b", whole);
    await daemon.untilLive("inference-7b");

    assert.deepEqual(
      receiver.hooks.map(({ event }) => event.data.bundle),
      ["inference-7b"],
    );
    const names = (await daemon.status()).bundles.map(({ name }) => name);
    assert.deepEqual(names, ["inference-7b", "mesh"]);
  });
});
