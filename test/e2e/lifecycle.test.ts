import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { parse, stringify } from "yaml";
import { runKeyturn, type TestDaemon, useDaemon } from "../support/daemon.ts";
import { type HookBehaviour, useHookReceiver } from "../support/hook-receiver.ts";
import { useStand } from "../support/stand.ts";
import { until } from "../support/wait.ts";

async function setUp(t: TestContext, answer?: HookBehaviour["answer"]) {
  const { etcd, folder, receiver, pki, settings } = await useStand(t, answer === undefined ? {} : { answer });
  return { etcd, folder, receiver, pki, settings, daemon: await useDaemon(t, folder, settings) };
}

/** Changes the daemon's configuration file. */
async function edit(
  { configFile }: TestDaemon,
  change: (config: Record<string, unknown>) => void,
): Promise<void> {
  const config = parse(await readFile(configFile, "utf8")) as Record<string, unknown>;
  change(config);
  await writeFile(configFile, stringify(config));
}

describe("the daemon", () => {
  it("finishes the running reload on SIGTERM, and exits 0", async (t) => {
    let release: () => void = () => undefined;
    const { etcd, receiver, pki, daemon, folder, settings } = await setUp(t, (_hook, respond) => {
      release = () => respond.writeHead(204).end();
    });
    await etcd.put("/certs/inference.pem", (await pki.make()).whole);
    await until("the hook is under way", () => receiver.hooks.length === 1);

    const stopped = daemon.stop();
    await until("it no longer follows etcd", async () =>
      (await etcd.ctl(["put", "/certs/late", "x"])).includes("OK"),
    );
    release();

    assert.equal(await stopped, 0);
    const restarted = await useDaemon(t, folder, settings);
    await restarted.untilLive("inference");
    assert.equal(receiver.hooks.length, 1);
  });

  it("does not end on a SIGHUP while it stops, nor begins anew", async (t) => {
    let release: () => void = () => undefined;
    const { etcd, receiver, pki, daemon } = await setUp(t, (_hook, respond) => {
      release = () => respond.writeHead(204).end();
    });
    await etcd.put("/certs/inference.pem", (await pki.make()).whole);
    await until("the hook is under way", () => receiver.hooks.length === 1);

    const stopped = daemon.stop();
    await until("it stops", () => daemon.log.some(({ msg }) => msg === "keyturn is stopping"));
    daemon.process.kill("SIGHUP");
    await until("it refuses", () => daemon.log.some(({ why }) => why === "keyturn is stopping"));
    release();

    assert.equal(await stopped, 0);
    assert.equal(receiver.hooks.length, 1);
  });

  it("ends at once on a second SIGTERM, and goes on after its next start", async (t) => {
    const { etcd, receiver, pki, daemon, folder, settings } = await setUp(t, (hook, respond) => {
      // The first hook is never answered.
      if (hook.event.data.reason === "retried") respond.writeHead(204).end();
    });
    await etcd.put("/certs/inference.pem", (await pki.make()).whole);
    await until("the hook is under way", () => receiver.hooks.length === 1);

    daemon.process.kill("SIGTERM");
    await until("it stops", () => daemon.log.some(({ msg }) => msg === "keyturn is stopping"));
    const gone = once(daemon.process, "exit");
    daemon.process.kill("SIGTERM");
    await gone;
    const restarted = await useDaemon(t, folder, settings);
    await restarted.untilLive("inference");

    assert.equal(daemon.process.exitCode, 143);
    assert.equal(receiver.hooks.at(-1)?.event.data.reason, "retried");
  });

  it("tells the services after a crash between the flip and their answer, without etcd", async (t) => {
    const { etcd, receiver, pki, daemon, folder, settings } = await setUp(t, (hook, respond) => {
      if (hook.event.data.reason === "retried") respond.writeHead(204).end();
    });
    await etcd.put("/certs/inference.pem", (await pki.make()).whole);
    await until("the hook is under way", () => receiver.hooks.length === 1);

    await daemon.stop("SIGKILL");
    await etcd.kill();
    const restarted = await useDaemon(t, folder, settings);
    await until("it is live", async () => (await restarted.bundle("inference"))?.live);

    assert.equal(receiver.hooks.at(-1)?.event.data.generation, receiver.hooks[0]?.event.data.generation);
    assert.equal((await restarted.status()).ready, false);
    assert.deepEqual((await restarted.status()).notReady, ["etcd was not read yet"]);
    assert.equal((await fetch(`${restarted.adminUrl}/healthz`)).status, 200);
    assert.equal((await fetch(`${restarted.adminUrl}/readyz`)).status, 503);
  });

  it("reads its configuration again on SIGHUP, and keeps the old one where the new one is bad", async (t) => {
    const { etcd, receiver, pki, daemon } = await setUp(t);
    const second = await useHookReceiver(t);
    await edit(daemon, (config) => {
      config.services = [{ name: "triton", bundles: ["*"], notify: { http: { url: second.url } } }];
    });
    daemon.process.kill("SIGHUP");
    await until("the new one is in force", () =>
      daemon.log.some(({ msg }) => msg === "configuration was read again"),
    );

    await edit(daemon, (config) => {
      config.servces = [];
    });
    daemon.process.kill("SIGHUP");
    const refused = await until("the bad one is refused", () =>
      daemon.log.find(({ msg }) => msg === "the new configuration is not used, the old one stays in force"),
    );
    await etcd.put("/certs/inference.pem", (await pki.make()).whole);
    await daemon.untilLive("inference");

    assert.match(String(refused.why), /keyturn\.yaml:\d+:\d+: servces: there is no such setting/);
    assert.deepEqual([receiver.hooks.length, second.hooks.length], [0, 1]);
  });

  it("warns of what is likely a mistake at its start, and whenever a new configuration is in force", async (t) => {
    const { daemon, folder } = await setUp(t);
    const warned = () =>
      daemon.log.flatMap((line) => (line.event === "config.warned" ? [[line.level, line.setting]] : []));
    const readAgain = () => daemon.log.filter(({ msg }) => msg === "configuration was read again").length;
    const tokenFile = join(folder, "no-token");
    const atStart = [
      ["warn", "services.0.notify.http.secretFile"],
      ["warn", "services.0.verify"],
      ["warn", "admin.tokenFile"],
    ];
    await until("it has warned", () => warned().length >= 3);
    assert.deepEqual(warned(), atStart);

    await edit(daemon, (config) => {
      config.services = [];
      config.admin = { ...(config.admin as object), tokenFile };
    });
    daemon.process.kill("SIGHUP");
    await until("the new one is in force", () => readAgain() === 1);
    assert.deepEqual(warned(), [...atStart, ["warn", "admin.tokenFile"]]);
    const last = daemon.log.findLast(({ event }) => event === "config.warned");
    assert.equal(last?.message, `${tokenFile} is not there`);

    await edit(daemon, (config) => {
      config.node = "another";
    });
    daemon.process.kill("SIGHUP");
    await until("it is refused", () => daemon.log.some(({ level }) => level === "error"));
    assert.equal(warned().length, 4);
  });

  it("refuses an output folder that another daemon works in", async (t) => {
    const { daemon } = await setUp(t);

    const second = await runKeyturn(["run", "--config", daemon.configFile]);

    assert.equal(second.code, 1);
    assert.match(
      second.stderr,
      new RegExp(`STORE_LOCKED: another keyturn \\(process ${daemon.process.pid}\\)`),
    );
  });

  it("keeps a deleted bundle, or takes it away where it is told to", async (t) => {
    const { etcd, pki, daemon } = await setUp(t);
    const { whole } = await pki.make();
    await etcd.put("/certs/inference.pem", whole);
    await daemon.untilLive("inference");

    await etcd.ctl(["del", "/certs/inference.pem"]);
    await until("it is seen", async () => (await daemon.bundle("inference"))?.state === "deleted");
    assert.ok((await readFile(join(daemon.outputDir, "inference", "tls.key"), "utf8")).length > 0);
    await edit(daemon, (config) => {
      config.output = { ...(config.output as object), onDelete: "remove" };
    });
    daemon.process.kill("SIGHUP");
    await until("the new one is in force", () =>
      daemon.log.some(({ msg }) => msg === "configuration was read again"),
    );
    const deletions = () => daemon.metric("keyturn_events_total", { result: "deleted" });
    await until("the new one has seen it too", async () => (await deletions()) === 2);
    await etcd.put("/certs/inference.pem", whole);
    await daemon.untilLive("inference");
    await etcd.ctl(["del", "/certs/inference.pem"]);
    await until("it is gone", async () => (await daemon.bundle("inference")) === undefined);

    await assert.rejects(readFile(join(daemon.outputDir, "inference", "tls.key")), { code: "ENOENT" });
    assert.equal(await deletions(), 3);
  });
});
