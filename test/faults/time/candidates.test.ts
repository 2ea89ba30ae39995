/** Content that is refused because of the clock, and goes live by itself once the clock is right. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stays } from "../../support/wait.ts";
import { NEXT_LOOK_MS, untilRejected, untilServed, useClockStand } from "./stand.ts";

describe("content that a wrong clock refuses", { concurrency: true }, () => {
  for (const [what, days, code] of [
    ["a day behind", -1, "CERTIFICATE_NOT_YET_VALID"],
    ["400 days behind", -400, "CERTIFICATE_NOT_YET_VALID"],
    ["400 days ahead", 400, "CERTIFICATE_EXPIRED"],
    ["29 days and a half ahead", 29.98, "CERTIFICATE_EXPIRES_SOON"],
  ] as const) {
    it(`is rejected as ${code} by a node that is ${what}, and goes live by itself when that is put right`, async (t) => {
      const { content, put, clock, receiver, start } = await useClockStand(t, days);
      const daemon = await start();
      const next = content({ from: -0.01 });

      await put("/certs/inference.pem", next.pem);
      const codes = await untilRejected(daemon, "inference");
      await stays(async () => (await daemon.bundle("inference"))?.state === "rejected", "rejected", 1_000);
      await clock.set(0);
      await untilServed(daemon, "inference", next, NEXT_LOOK_MS);

      assert.deepEqual(codes, [code]);
      assert.equal(receiver.hooks.length, 1);
    });
  }

  it("leaves what is live alone", async (t) => {
    const { content, put, clock, receiver, start } = await useClockStand(t);
    const daemon = await start();
    const [first, second] = [content({ from: -500, until: 30 }), content({ from: -0.01 })];
    await put("/certs/inference.pem", first.pem);
    await untilServed(daemon, "inference", first);

    await clock.set(-1);
    await put("/certs/inference.pem", second.pem);
    const codes = await untilRejected(daemon, "inference");
    const { live, generation } = (await daemon.bundle("inference")) ?? {};
    await clock.set(0);
    await untilServed(daemon, "inference", second, NEXT_LOOK_MS);

    assert.deepEqual(codes, ["CERTIFICATE_NOT_YET_VALID"]);
    assert.equal(live, true);
    assert.equal(generation?.leaf?.fingerprint256, first.fingerprint256);
    assert.equal(receiver.hooks.length, 2);
  });
});
