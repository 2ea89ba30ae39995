/** The closed loop on a real daemon: what Alertmanager sends has a bundle rolled back or tried again. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { startDaemon } from "../../src/daemon.ts";
import { notificationOf, type SentAlert } from "../support/alerts.ts";
import { runKeyturn, useDaemon, writeConfig } from "../support/daemon.ts";
import type { HookBehaviour } from "../support/hook-receiver.ts";
import { useStand } from "../support/stand.ts";
import { until } from "../support/wait.ts";

const KEY = "/certs/inference.pem";
const RULES = [
  { alert: "ModelErrors", do: "rollback", cooldown: "0s", atMost: 5 },
  { alert: "KeyturnContentQuarantined", do: "retry", cooldown: "0s", atMost: 5 },
];

async function setUp(t: TestContext, behaviour: HookBehaviour = {}) {
  const { etcd, folder, pki, receiver, settings } = await useStand(t, behaviour);
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, "let-me-in\n", { mode: 0o600 });
  const admin = { listen: "127.0.0.1:0", tokenFile };
  const daemon = await useDaemon(t, folder, { ...settings, admin, alerts: { rules: RULES } });
  const put = async () => {
    const { whole, leaf } = await pki.make();
    await etcd.put(KEY, whole);
    return leaf.fingerprint256;
  };
  const putLive = async () => {
    const fingerprint = await put();
    await until("it is live", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.state === "live" && bundle.generation?.leaf?.fingerprint256 === fingerprint;
    });
    return fingerprint;
  };
  /** Sends alerts that begin now, about this node. */
  const send = async (...alerts: readonly SentAlert[]) => {
    const sent = alerts.map(({ labels, ...rest }) => ({
      startsAt: new Date().toISOString(),
      labels: { instance: "test-node:9464", ...labels },
      ...rest,
    }));
    const answer = await fetch(`${daemon.adminUrl}/-/alerts`, {
      method: "POST",
      headers: { authorization: "Bearer let-me-in", "content-type": "application/json" },
      body: JSON.stringify(notificationOf(...sent)),
    });
    const { alerts: answers } = (await answer.json()) as { alerts: { result: string; why: string }[] };
    return answers.map(({ result, why }) => ({ result, why }));
  };
  const served = async () => (await daemon.bundle("inference"))?.generation?.leaf?.fingerprint256;
  return { daemon, put, putLive, send, served, receiver };
}

describe("an alert about a bundle that was rotated", () => {
  it("has it rolled back, once, and everything says which alert it was", async (t) => {
    const { daemon, putLive, send, served, receiver } = await setUp(t);
    const first = await putLive();
    await putLive();

    const startsAt = new Date().toISOString();
    const [answer] = await send({ startsAt });
    await until("it went back", async () => (await daemon.bundle("inference"))?.alerts[0]?.result === "done");
    const [repeated] = await send({ startsAt });
    const [further] = await send({});

    assert.deepEqual([answer?.result, repeated?.result, further?.result], ["begun", "ignored", "unsuitable"]);
    assert.match(further?.why ?? "", /went back already/);
    assert.equal(await served(), first);
    assert.equal(receiver.hooks.at(-1)?.event.data.reason, "rolledBack");
    const bundle = await daemon.bundle("inference");
    assert.deepEqual(
      [bundle?.history[0]?.outcome, bundle?.history[0]?.alert, bundle?.history[0]?.message],
      ["rolledBack", "ModelErrors", "the alert ModelErrors asked for it"],
    );
    const of = (result: string) =>
      daemon.metric("keyturn_alert_actions_total", { action: "rollback", result });
    assert.deepEqual([await of("begun"), await of("done"), await of("unsuitable")], [1, 1, 1]);
    assert.equal(await daemon.metric("keyturn_rollbacks_total", { bundle: "inference", reason: "alert" }), 1);
    const lines = daemon.log.filter(({ event }) => event === "alert.acted");
    assert.deepEqual(
      lines.map(({ alert, result }) => [alert, result]),
      [
        ["ModelErrors", "begun"],
        ["ModelErrors", "done"],
        ["ModelErrors", "unsuitable"],
      ],
    );
    const listen = new URL(daemon.adminUrl).host;
    const { stdout } = await runKeyturn([
      ...["history", "inference", "--config", daemon.configFile, "--admin-listen", listen],
    ]);
    assert.match(stdout, /alert: the alert ModelErrors asked for it/);
  });

  it("does nothing where it is about another node, or began before the rotation", async (t) => {
    const { putLive, send, served } = await setUp(t);
    const before = new Date().toISOString();
    await putLive();
    const second = await putLive();

    const answers = await send({ labels: { instance: "gpu-018:9464" } }, { startsAt: before });

    assert.deepEqual(
      answers.map(({ result }) => result),
      ["ignored", "unsuitable"],
    );
    assert.equal(await served(), second);
  });
});

describe("an alert about content in quarantine", () => {
  it("has it tried again, and it goes live where the service has recovered", async (t) => {
    let isIll = false;
    const { daemon, put, putLive, send, served } = await setUp(t, {
      answer: ({ event }, respond) => {
        const refuses = isIll && event.data.reason !== "rolledBack";
        respond.writeHead(refuses ? 422 : 204).end();
      },
    });
    await putLive();
    isIll = true;
    const second = await put();
    // It is in quarantine before the way back has ended: what is tried until then shares its end.
    await until("it went back", async () => {
      const bundle = await daemon.bundle("inference");
      return bundle?.quarantine && bundle.history[0]?.outcome === "rolledBack";
    });
    isIll = false;

    const labels = { alertname: "KeyturnContentQuarantined" };
    const [answer] = await send({ labels });
    await until("it was tried", async () => (await daemon.bundle("inference"))?.alerts[0]?.result === "done");

    assert.equal(answer?.result, "begun");
    assert.equal(await served(), second);
    assert.equal((await daemon.bundle("inference"))?.history[0]?.alert, "KeyturnContentQuarantined");
  });
});

describe("an alert that comes while the configuration is read again", () => {
  it("has it done once that is over", async (t) => {
    const held: (() => void)[] = [];
    const { etcd, folder, pki, settings, receiver } = await useStand(t, {
      answer: ({ event }, respond) => {
        const end = () => void respond.writeHead(204).end();
        if (event.data.bundle === "slow") held.push(end);
        else end();
      },
    });
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, "let-me-in\n", { mode: 0o600 });
    const admin = { listen: "127.0.0.1:0", tokenFile };
    const written = { ...settings, admin, alerts: { rules: RULES }, log: { level: "fatal" } };
    const { configFile } = await writeConfig(folder, written);
    const read = () => loadConfig({ file: configFile, env: {}, flags: {} });
    const alerts: string[] = [];
    const isLive: string[] = [];
    const daemon = await startDaemon({
      config: await read(),
      loadConfig: read,
      onEvent: (event) => {
        if (event.type === "alert.acted") alerts.push(event.result);
        if (event.type === "reload.finished") isLive.push(`${event.bundle} ${event.outcome.kind}`);
      },
    });
    t.after(() => daemon.close());
    for (let count = 1; count <= 2; count++) {
      await etcd.put(KEY, (await pki.make()).whole);
      await until("it is live", () => isLive.filter((one) => one === "inference live").length === count);
    }
    await etcd.put("/certs/slow.pem", (await pki.make()).whole);
    await until("a service is being told", () => held.length > 0);

    const reloaded = daemon.reload();
    const healthy = () => fetch(`${daemon.adminUrl}/healthz`);
    for (let count = 0; count < 5; count++) await healthy();
    const startsAt = new Date().toISOString();
    const answered = fetch(`${daemon.adminUrl}/-/alerts`, {
      method: "POST",
      headers: { authorization: "Bearer let-me-in" },
      body: JSON.stringify(notificationOf({ startsAt, labels: { instance: "test-node:9464" } })),
    });
    for (let count = 0; count < 5; count++) await healthy();
    for (const end of held) end();
    await reloaded;
    await answered;

    await until("it has ended", () => alerts.length === 2);
    assert.deepEqual(alerts, ["begun", "done"]);
    assert.equal(receiver.hooks.at(-1)?.event.data.reason, "rolledBack");
  });
});
