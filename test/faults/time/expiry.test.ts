/** A clock that is stepped past the end of a live certificate, and put right. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useHookReceiver } from "../../support/hook-receiver.ts";
import { until } from "../../support/wait.ts";
import { isReady, NEXT_LOOK_MS, untilServed, useClockStand } from "./stand.ts";

const EXPIRED = { bundle: "inference", threshold: "0s" };

describe("the end of a live certificate", { concurrency: true }, () => {
  for (const days of [1, 400]) {
    it(`is told by the wall clock: at once by /readyz, once by the log, and taken back when ${days} days on is put right`, async (t) => {
      const { content, put, clock, receiver, start } = await useClockStand(t);
      const issuer = await useHookReceiver(t);
      const daemon = await start({
        checks: { minRemaining: "0s" },
        renewal: { http: { url: issuer.url } },
      });
      const live = content({ until: 0.9 });
      await put("/certs/inference.pem", live.pem);
      await untilServed(daemon, "inference", live);
      const expired = () => daemon.log.filter(({ msg }) => msg === "certificate has expired");
      const shown = () => daemon.metric("keyturn_certificate_expiring", EXPIRED);

      await clock.set(days);
      const readyAfterStep = await isReady(daemon);
      const { notReady } = await daemon.status();
      await until("the log says so", () => expired().length > 0, NEXT_LOOK_MS);
      const shownAfterStep = await shown();
      await until("the issuer is told", () => issuer.hooks.length > 0);
      await clock.set(0);
      const readyAfterAll = await isReady(daemon);
      await until("the metric is put right", async () => (await shown()) === 0, NEXT_LOOK_MS);

      assert.deepEqual([readyAfterStep, readyAfterAll], [false, true]);
      assert.deepEqual(notReady, ["bundle inference has expired"]);
      assert.equal(shownAfterStep, 1);
      assert.equal(expired().length, 1);
      const told = issuer.hooks.filter(({ body }) => JSON.parse(body).data.threshold === "0s");
      assert.equal(told.length, 1);
      const sentAt = new Date(Number(told[0]?.headers["webhook-timestamp"]) * 1_000);
      const offDays = (sentAt.getTime() - Date.now()) / 86_400_000;
      assert.equal(Math.round(offDays), days, "the hook bears the time of the node");
      assert.equal(receiver.hooks.length, 1, "the service was not told again");
    });
  }
});
