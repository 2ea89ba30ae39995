import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hookOf } from "../support/hook.ts";
import { type HookBehaviour, useHookReceiver } from "../support/hook-receiver.ts";
import { patientClock } from "../support/patient-clock.ts";

const SILENT: HookBehaviour = { answer: () => undefined };
const HANGING_UP: HookBehaviour = { answer: (_hook, respond) => void respond.destroy() };
const SEEN = "vllm gave no answer, and a handshake shows that it serves what it was told of";

describe("a service that gave no answer", () => {
  for (const [what, behaviour, result] of [
    ["in time", SILENT, "timeout"],
    ["and hung up", HANGING_UP, "busy"],
  ] as const) {
    it(`${what} is not told again where it serves what it was told of`, async (t) => {
      const receiver = await useHookReceiver(t, behaviour);
      const hook = hookOf(receiver.url, { timeoutMs: 100, isServed: async () => true });
      assert.deepEqual(await hook.deliver(), { kind: "done" });
      assert.deepEqual(
        hook.attempts.map((attempt) => [attempt.attempt, attempt.result]),
        [
          [1, result],
          [2, "delivered"],
        ],
      );
      assert.deepEqual([hook.attempts[1]?.message, receiver.hooks.length], [SEEN, 1]);
    });
  }

  it("is looked at after the wait: it may need that time", async (t) => {
    const seen: string[] = [];
    const receiver = await useHookReceiver(t, HANGING_UP);
    const isServed = async () => seen.push("look") > 0;
    const clock = patientClock(() => void seen.push("wait"));
    await hookOf(receiver.url, { isServed }, clock).deliver();
    assert.deepEqual(seen, ["wait", "look"]);
  });

  it("is told again where it serves something else", async (t) => {
    let calls = 0;
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => void (++calls === 1 ? respond.destroy() : respond.writeHead(204).end()),
    });
    const hook = hookOf(receiver.url, { isServed: async () => false });
    assert.deepEqual(await hook.deliver(), { kind: "done" });
    assert.deepEqual(
      hook.attempts.map(({ result }) => result),
      ["busy", "delivered"],
    );
  });

  it("is looked at after its last attempt too", async (t) => {
    const receiver = await useHookReceiver(t, HANGING_UP);
    const hook = hookOf(receiver.url, { attempts: 1, isServed: async () => true });
    assert.deepEqual(await hook.deliver(), { kind: "done" });
    assert.deepEqual([hook.attempts.at(-1)?.message, hook.clock.waits.length], [SEEN, 0]);
  });

  it("is looked at until the delivery is called off", async (t) => {
    const receiver = await useHookReceiver(t, HANGING_UP);
    const abort = new AbortController();
    const reason = new Error("newer content came");
    const isServed = async (signal: AbortSignal) => {
      abort.abort(reason);
      signal.throwIfAborted();
      return true;
    };
    await assert.rejects(hookOf(receiver.url, { isServed }).deliver(abort.signal), reason);
  });
});

describe("a service that answered", () => {
  for (const status of [204, 404, 500]) {
    it(`with ${status} is not looked at`, async (t) => {
      let looks = 0;
      const receiver = await useHookReceiver(t, {
        answer: (_hook, respond) => void respond.writeHead(status).end(),
      });
      const isServed = async () => ++looks > 0;
      await hookOf(receiver.url, { isServed }).deliver();
      assert.equal(looks, 0);
    });
  }
});

describe("a service that is gone after it was told", () => {
  it("died over it", async (t) => {
    const receiver = await useHookReceiver(t, HANGING_UP);
    const hook = hookOf(
      receiver.url,
      {},
      patientClock(() => receiver.close()),
    );
    assert.deepEqual(await hook.deliver(), {
      kind: "failed",
      message:
        `vllm cannot be reached (ECONNREFUSED) on ${receiver.url} after it had taken the request: ` +
        "it died over it (attempt 3 of 3)",
    });
    assert.deepEqual(
      hook.attempts.map(({ result }) => result),
      ["busy", "unreachable", "unreachable"],
    );
  });

  it("died over it where it gave no answer in time before", async (t) => {
    const receiver = await useHookReceiver(t, SILENT);
    const clock = patientClock(() => receiver.close());
    const answer = await hookOf(receiver.url, { timeoutMs: 100 }, clock).deliver();
    assert.equal(answer.kind, "failed");
  });

  it("died over it where the request had gone out on a connection that was kept", async (t) => {
    let calls = 0;
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => {
        if (++calls === 1) return void respond.writeHead(204).end();
        void receiver.close();
        respond.destroy();
      },
    });
    const hook = hookOf(receiver.url);
    assert.deepEqual(await hook.deliver(), { kind: "done" });
    const answer = await hook.deliver();
    assert.deepEqual([answer.kind, receiver.hooks.length], ["failed", 2]);
    assert.deepEqual(
      hook.attempts.map(({ result }) => result),
      ["delivered", "busy", "unreachable", "unreachable"],
    );
  });

  it("is unreachable where it had answered that it cannot now: it was on its way out", async (t) => {
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => void respond.writeHead(503, { connection: "close" }).end(),
    });
    const clock = patientClock(() => receiver.close());
    const answer = await hookOf(receiver.url, {}, clock).deliver();
    assert.equal(answer.kind, "unreachable");
  });

  it("is done where it came up again with what it was told of", async (t) => {
    let isUp = true;
    const receiver = await useHookReceiver(t, {
      answer: (_hook, respond) => void (isUp ? respond.destroy() : respond.writeHead(204).end()),
    });
    const { port } = new URL(receiver.url);
    let waits = 0;
    const clock = patientClock(async () => {
      isUp = false;
      if (++waits === 1) await receiver.close();
      if (waits === 2) await useHookReceiver(t, { port: Number(port) });
    });
    const hook = hookOf(receiver.url, {}, clock);
    assert.deepEqual(await hook.deliver(), { kind: "done" });
    assert.deepEqual(
      hook.attempts.map(({ result }) => result),
      ["busy", "unreachable", "delivered"],
    );
  });
});
