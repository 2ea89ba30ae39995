import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hookOf } from "../support/hook.ts";
import { type HookBehaviour, useHookReceiver } from "../support/hook-receiver.ts";
import { patientClock } from "../support/patient-clock.ts";

describe("an answer to a hook", () => {
  for (const status of [200, 201, 204, 299]) {
    it(`of ${status} is success at once`, async (t) => {
      const receiver = await useHookReceiver(t, answering(status));
      const hook = hookOf(receiver.url);
      assert.deepEqual(await hook.deliver(), { kind: "done" });
      assert.deepEqual(
        hook.attempts.map(({ result, attempt }) => [result, attempt]),
        [["delivered", 1]],
      );
    });
  }

  for (const status of [301, 302, 307, 400, 401, 404, 409]) {
    it(`of ${status} is failure at once`, async (t) => {
      const receiver = await useHookReceiver(t, answering(status, { location: "/elsewhere" }));
      const hook = hookOf(receiver.url);
      const points = `redirects are not followed, and this one points to ${new URL(receiver.url).origin}`;
      const advice = status < 400 ? `: ${points}; set url to the address that answers by itself` : "";
      assert.deepEqual(await hook.deliver(), {
        kind: "failed",
        message: `vllm answered ${status} on ${receiver.url}${advice} (attempt 1 of 3)`,
      });
      assert.deepEqual([receiver.hooks.length, hook.attempts[0]?.result], [1, "refused"]);
    });
  }

  for (const status of [500, 503, 429]) {
    it(`of ${status} is tried again until it changes`, async (t) => {
      let calls = 0;
      const receiver = await useHookReceiver(t, {
        answer: (_hook, respond) => void respond.writeHead(++calls < 3 ? status : 204).end(),
      });
      const hook = hookOf(receiver.url);
      assert.deepEqual(await hook.deliver(), { kind: "done" });
      assert.deepEqual(
        hook.attempts.map(({ result }) => result),
        ["busy", "busy", "delivered"],
      );
    });

    it(`of ${status} leaves the service busy after as many attempts as are allowed`, async (t) => {
      const receiver = await useHookReceiver(t, answering(status));
      assert.deepEqual(await hookOf(receiver.url, { attempts: 2 }).deliver(), {
        kind: "busy",
        message: `vllm answered ${status} on ${receiver.url} (attempt 2 of 2)`,
      });
      assert.equal(receiver.hooks.length, 2);
    });
  }

  it("is not waited for after the last attempt", async (t) => {
    const receiver = await useHookReceiver(t, answering(503));
    const { clock, deliver } = hookOf(receiver.url, { attempts: 2 });
    await deliver();
    assert.equal(clock.waits.length, 1);
  });
});

describe("the wait between attempts", () => {
  for (const [what, header, expected] of [
    ["the seconds of Retry-After", () => "7", 7_000],
    ["no time where Retry-After is zero", () => "0", 0],
    ["half a minute at most", () => "86400", 30_000],
    [
      "an hour cut to half a minute",
      (now: Date) => new Date(now.getTime() + 3_600_000).toUTCString(),
      30_000,
    ],
    ["until the date of Retry-After", (now: Date) => new Date(now.getTime() + 9_000).toUTCString(), 9_000],
    ["no time where the date of Retry-After is past", () => "Sun, 06 Nov 1994 08:49:37 GMT", 0],
  ] as const) {
    it(`is ${what}`, async (t) => {
      const clock = clockAtFullSecond();
      const headers = { "retry-after": header(clock.now()) };
      const receiver = await useHookReceiver(t, answering(503, headers));
      await hookOf(receiver.url, { attempts: 2 }, clock).deliver();
      assert.deepEqual(clock.waits, [expected]);
    });
  }

  for (const header of ["soon", "-5", "1.5", ""]) {
    it(`is drawn, and no hot loop, where Retry-After is ${JSON.stringify(header)}`, async (t) => {
      const receiver = await useHookReceiver(t, answering(503, { "retry-after": header }));
      const { clock, deliver } = hookOf(receiver.url, { attempts: 20 });
      await deliver();
      assert.ok(clock.waits.some((ms) => ms > 0));
    });
  }

  it("grows with each attempt, with jitter, to five seconds at most", async (t) => {
    const receiver = await useHookReceiver(t, answering(503));
    const { clock, deliver } = hookOf(receiver.url, { attempts: 12 });
    await deliver();
    const ceilings = clock.waits.map((_, index) => Math.min(5_000, 200 * 2 ** index));
    assert.equal(clock.waits.length, 11);
    assert.ok(
      clock.waits.every((ms, index) => ms >= 0 && ms <= (ceilings[index] ?? 0)),
      String(clock.waits),
    );
  });

  it("ends at once when the delivery is called off", async (t) => {
    const receiver = await useHookReceiver(t, answering(503));
    const abort = new AbortController();
    const reason = new Error("newer content came");
    const hook = hookOf(
      receiver.url,
      {},
      patientClock(() => abort.abort(reason)),
    );

    const ended = await hook.deliver(abort.signal).catch((thrown: unknown) => thrown);

    assert.deepEqual([ended, receiver.hooks.length], [reason, 1]);
  });
});

describe("a delivery that is called off", () => {
  it("before it began sends nothing", async (t) => {
    const receiver = await useHookReceiver(t);
    const reason = new Error("newer content came");
    await assert.rejects(hookOf(receiver.url).deliver(AbortSignal.abort(reason)), reason);
    assert.equal(receiver.hooks.length, 0);
  });

  it("while a request is out waits for its answer: the service may be at work on it", async (t) => {
    const abort = new AbortController();
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => {
        abort.abort();
        setImmediate(() => respond.writeHead(204).end());
      },
    });
    assert.deepEqual(await hookOf(receiver.url).deliver(abort.signal), { kind: "done" });
  });
});

function answering(status: number, headers: Record<string, string> = {}): HookBehaviour {
  return { answer: (_hook, respond) => void respond.writeHead(status, headers).end() };
}

/** HTTP dates have no milliseconds, so that the clock of a test with dates has none either. */
function clockAtFullSecond() {
  const clock = patientClock();
  const second = new Date(Math.floor(Date.now() / 1_000) * 1_000);
  return { ...clock, now: () => second };
}
