/** A node that starts with the year 1970, as one does whose battery is empty, before its clock is set by the network. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "../../support/wait.ts";
import { isReady, NEXT_LOOK_MS, untilRejected, untilServed, useClockStand } from "./stand.ts";

const DAYS_SINCE_1970 = Math.floor(Date.now() / 86_400_000) - 1;

describe("a start in 1970", () => {
  it("leaves what is live as it is, says that the clock is wrong, and takes new content when it is put right", async (t) => {
    const { content, put, clock, receiver, start } = await useClockStand(t);
    const first = content();
    const before = await start();
    await put("/certs/inference.pem", first.pem);
    const { generation } = await untilServed(before, "inference", first);
    await before.stop();

    await clock.set(-DAYS_SINCE_1970);
    const daemon = await start();
    const wrong = () => daemon.log.filter(({ event }) => event === "clock.behind");
    await until("it says so", () => wrong().length > 0);
    await until("it is ready", () => isReady(daemon));
    const held = await daemon.bundle("inference");
    const next = content();
    await put("/certs/inference.pem", next.pem);
    const codes = await untilRejected(daemon, "inference");
    const why = (await daemon.bundle("inference"))?.problems[0]?.message ?? "";
    await clock.set(0);
    await untilServed(daemon, "inference", next, NEXT_LOOK_MS);

    assert.deepEqual([held?.live, held?.generation?.id], [true, generation?.id]);
    assert.deepEqual(codes, ["CERTIFICATE_NOT_YET_VALID"]);
    assert.match(why, /set the clock right that issued it, or the one of this node/);
    assert.deepEqual(
      wrong().map(({ level, msg, bundle }) => [level, msg, bundle]),
      [["error", "the clock of this node is wrong: what is live is not valid yet", "inference"]],
    );
    assert.equal(receiver.hooks.length, 2, "once for each content");
  });
});
