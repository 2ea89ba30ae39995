/** What comes first and what comes last does not depend on the clock. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { untilServed, useClockStand } from "./stand.ts";

interface HistoryAnswer {
  readonly current: string;
  readonly generations: readonly { readonly id: string; readonly stagedAt: string }[];
}

describe("generations that were made while the clock went to and fro", () => {
  it("are in the order they came in, also after a restart, and bear the time that the node had", async (t) => {
    const { content, put, clock, receiver, start } = await useClockStand(t);
    const first = await start();
    const steps = [0, 400, -400, 1, -1];
    const ids: string[] = [];
    for (const days of steps) {
      await clock.set(days);
      const next = content({ from: -500, until: 900 });
      await put("/certs/inference.pem", next.pem);
      ids.push((await untilServed(first, "inference", next)).generation?.id ?? "");
    }
    const { history } = (await first.bundle("inference")) ?? {};
    await first.stop();
    const second = await start();
    await second.untilLive("inference");
    const answer = await fetch(`${second.adminUrl}/bundles/inference/history`);
    const { current, generations } = (await answer.json()) as HistoryAnswer;

    // Never -0, which is not 0 to a strict comparison.
    const daysOff = (at: string) => Math.round((Date.parse(at) - Date.now()) / 86_400_000) || 0;
    assert.deepEqual([...ids].sort(), ids);
    assert.deepEqual(
      generations.map(({ id }) => id),
      ids,
    );
    assert.equal(current, ids.at(-1));
    assert.deepEqual(
      generations.map(({ stagedAt }) => daysOff(stagedAt)),
      steps,
    );
    assert.deepEqual(
      history?.map(({ generation, finishedAt }) => [generation, daysOff(finishedAt)]),
      ids.map((id, index) => [id, steps[index]]).reverse(),
    );
    assert.deepEqual(
      receiver.hooks.map(({ headers }) =>
        daysOff(new Date(Number(headers["webhook-timestamp"]) * 1_000).toISOString()),
      ),
      steps,
    );
  });
});
