/** Timers go by the monotonic clock: a step of the wall clock makes none of them come early, late, or again and again. */
import assert from "node:assert/strict";
import { chmod, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePorts } from "../../../src/dev/etcd.ts";
import { useHookReceiver } from "../../support/hook-receiver.ts";
import { useTlsService } from "../../support/tls-service.ts";
import { until } from "../../support/wait.ts";
import { untilServed, useClockStand } from "./stand.ts";

/** Of the regular look at etcd, of `verify.every`, and of the audit. */
const EVERY_MS = 400;
/** Regular looks at etcd that are waited for after a step. */
const ROUNDS = 8;
/** `verify.every` is drawn from half to one and a half times its length, and the last round may have begun already. */
const MOST_PER_ROUND = 3;

describe("a step of the wall clock", { concurrency: 2 }, () => {
  for (const days of [1, -1, 400, -400]) {
    it(`of ${days} days leaves every timer as it was`, async (t) => {
      const { content, put, clock, receiver, folder, settings, start } = await useClockStand(t);
      const served = await useTlsService(t);
      const hook = await useHookReceiver(t, {
        answer: async ({ event }, respond) => {
          const pem = await readFile(event.data.paths.combined ?? "", "utf8");
          served.serve({ chain: pem, key: pem });
          respond.writeHead(204).end();
        },
      });
      const [port = 0] = await freePorts(1);
      const daemon = await start({
        etcd: { ...settings.etcd, resyncEvery: `${EVERY_MS}ms` },
        output: { auditEvery: `${EVERY_MS}ms` },
        checks: { settle: "3s" },
        services: [
          ...settings.services.map((service) => ({ ...service, bundles: ["after"] })),
          {
            name: "seen",
            bundles: ["seen"],
            notify: { http: { url: hook.url } },
            verify: { tls: { address: `127.0.0.1:${served.port}` }, every: `${EVERY_MS}ms` },
          },
          {
            name: "down",
            bundles: ["down"],
            notify: { http: { url: `http://127.0.0.1:${port}/`, attempts: 1 } },
          },
        ],
      });
      const [seen, down, after] = [1, 2, 3].map(() => content({ from: -500, until: 900 }));
      assert.ok(seen && down && after);
      await put("/certs/seen.pem", seen.pem);
      await untilServed(daemon, "seen", seen);
      await put("/certs/down.pem", down.pem);
      await until("a retry is pending", async () => (await daemon.bundle("down"))?.lastReload?.retryAt);
      await put("/certs/held/tls.crt", seen.pem.slice(0, seen.pem.indexOf("-----BEGIN PRIVATE")));
      await until("parts are waited for", async () => (await daemon.bundle("held"))?.state === "waiting");
      const resyncs = () => daemon.metric("keyturn_resyncs_total", { reason: "periodic" });
      const looks = () => served.connections;

      await clock.set(days);
      const begin = performance.now();
      const [resyncsBefore, looksBefore] = [await resyncs(), looks()];
      await until("etcd is looked at regularly", async () => (await resyncs()) >= resyncsBefore + ROUNDS);
      const tookMs = performance.now() - begin;
      const [resyncsMade, looksMade] = [(await resyncs()) - resyncsBefore, looks() - looksBefore];
      await until("the service is looked at regularly", () => looks() >= looksBefore + 2);
      await until("parts are overdue", async () => (await daemon.bundle("held"))?.overdue);
      const key = join(folder, "output", "seen", "tls.key");
      await chmod(key, 0o644);
      await until("files are put right", async () => ((await stat(key)).mode & 0o777) === 0o600);
      await put("/certs/after.pem", after.pem);
      await untilServed(daemon, "after", after);
      const late = await useHookReceiver(t, { port });
      await untilServed(daemon, "down", down, 60_000);

      const mostInTime = (tookMs / EVERY_MS + 1) * MOST_PER_ROUND;
      assert.ok(resyncsMade <= mostInTime, `${resyncsMade} looks at etcd in ${tookMs} ms`);
      assert.ok(looksMade <= mostInTime, `${looksMade} looks at the service in ${tookMs} ms`);
      assert.deepEqual([receiver.hooks.length, late.hooks.length, hook.hooks.length], [1, 1, 1]);
    });
  }
});
