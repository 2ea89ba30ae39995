import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemClock } from "../../src/runtime/clock.ts";

const DAY_MS = 86_400_000;

describe("the system clock", () => {
  it("sleeps at least as long as it was asked to", async () => {
    const begin = systemClock.monotonicMs();
    await systemClock.sleep(20, new AbortController().signal);
    // Timers count whole milliseconds.
    assert.ok(systemClock.monotonicMs() - begin >= 19);
  });

  it("ends a sleep with the signal's reason when that is aborted", async () => {
    const abort = new AbortController();
    const reason = new Error("newer content came");
    const sleeping = systemClock.sleep(DAY_MS, abort.signal);

    abort.abort(reason);

    assert.equal(await sleeping.catch((thrown: unknown) => thrown), reason);
  });

  it("does not begin to sleep where the signal is aborted already", async () => {
    const reason = { any: "thing" };
    const sleeping = systemClock.sleep(DAY_MS, AbortSignal.abort(reason));
    assert.equal(await sleeping.catch((thrown: unknown) => thrown), reason);
  });

  it("tells the date", () => {
    const [before, now, after] = [Date.now(), systemClock.now().getTime(), Date.now()];
    assert.ok(before <= now && now <= after);
  });
});
