import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { AdminOptions } from "../../src/admin/options.ts";
import { type ErrorCode, KeyturnError } from "../../src/core/errors.ts";
import type { ReloadOutcome } from "../../src/core/outcome.ts";
import { type TestAdmin, useAdmin, writeToken } from "../support/admin.ts";
import { givenUp, KEY_MISMATCH } from "../support/events.ts";
import { generationOf } from "../support/notice.ts";
import { until } from "../support/wait.ts";

const RIGHT = { authorization: "Bearer open sesame" };
const LIVE = generationOf("inference", "live");
const BAD = generationOf("inference", "current", 2);
const ROLLBACK = "/-/bundles/inference/rollback";
const RETRY = "/-/bundles/inference/retry";
const rolledBack: ReloadOutcome = {
  kind: "rolledBack",
  generation: LIVE,
  from: givenUp(BAD, LIVE),
  message: "an operator asked for it",
  unfinished: null,
};

describe("a rollback", () => {
  it("tells what was done, and which generations it was about", async (t) => {
    const { ask } = await useRollback(t, async () => rolledBack);
    const { status, body } = await ask("POST", ROLLBACK, RIGHT);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), {
      bundle: "inference",
      outcome: "rolledBack",
      generation: LIVE.id,
      from: BAD.id,
      message: "an operator asked for it",
      unfinished: null,
      problems: [],
      done: true,
    });
  });

  it("is done where a service that is not running will be told later, and says so", async (t) => {
    const { ask } = await useRollback(t, async () => ({ ...rolledBack, unfinished: "vllm is not running" }));
    const { status, body } = await ask("POST", ROLLBACK, RIGHT);
    const { done, unfinished } = JSON.parse(body);
    assert.deepEqual([status, done, unfinished], [200, true, "vllm is not running"]);
  });

  it("answers when the reload has ended, not before", async (t) => {
    let end: ((outcome: ReloadOutcome) => void) | undefined;
    const { ask } = await useRollback(
      t,
      () =>
        new Promise((resolve) => {
          end = resolve;
        }),
    );
    let answered = false;
    const answer = ask("POST", ROLLBACK, RIGHT).finally(() => {
      answered = true;
    });
    const finish = await until("it has begun", () => end);
    // Another request is answered in the meantime.
    await ask("GET", "/healthz");
    assert.equal(answered, false);
    finish(rolledBack);
    assert.equal((await answer).status, 200);
  });

  for (const [outcome, status] of [
    [{ kind: "failed", generation: LIVE, message: "going back did not work either" }, 500],
    [{ kind: "interrupted" }, 409],
  ] as readonly (readonly [ReloadOutcome, number])[]) {
    it(`is not done where it ended ${outcome.kind}`, async (t) => {
      const { ask } = await useRollback(t, async () => outcome);
      const answer = await ask("POST", ROLLBACK, RIGHT);
      const { done, outcome: shown, message } = JSON.parse(answer.body);
      assert.deepEqual([answer.status, done, shown, message !== ""], [status, false, outcome.kind, true]);
    });
  }

  for (const [what, path, headers, body] of [
    ["the query", `${ROLLBACK}?to=000001-9f86d081`, {}, ""],
    ["the body", ROLLBACK, {}, '{"to": "000001-9f86d081"}'],
    ["a body in chunks", ROLLBACK, { "transfer-encoding": "chunked" }, '{"to": "000001-9f86d081"}'],
  ] as const) {
    it(`goes to the generation that is named in ${what}`, async (t) => {
      const { ask, calls } = await useRollback(t, async () => rolledBack);
      await ask("POST", path, { ...RIGHT, ...headers }, body);
      assert.deepEqual(calls, [["inference", "000001-9f86d081"]]);
    });
  }

  for (const [what, body] of [
    ["nothing is sent", ""],
    ["an empty object is sent", "{}"],
  ] as const) {
    it(`goes to the one before where ${what}`, async (t) => {
      const { ask, calls } = await useRollback(t, async () => rolledBack);
      await ask("POST", ROLLBACK, RIGHT, body);
      assert.deepEqual(calls, [["inference", undefined]]);
    });
  }

  for (const [what, path, body] of [
    ["a name in the query that is not expected", `${ROLLBACK}?too=000001-9f86d081`, ""],
    ["a name in the body that is not expected", ROLLBACK, '{"generation": "000001-9f86d081"}'],
    ["a number in place of a text", ROLLBACK, '{"to": 1}'],
    ["an empty text", `${ROLLBACK}?to=`, ""],
    ["two generations", `${ROLLBACK}?to=a&to=b`, ""],
    ["one generation in the query and one in the body", `${ROLLBACK}?to=a`, '{"to": "b"}'],
    ["a list", ROLLBACK, '["000001-9f86d081"]'],
    ["null", ROLLBACK, "null"],
    ["what is not JSON", ROLLBACK, "to=000001-9f86d081"],
  ] as const) {
    it(`is refused with ${what}, and goes nowhere`, async (t) => {
      const { ask, calls } = await useRollback(t, async () => rolledBack);
      const answer = await ask("POST", path, RIGHT, body);
      assert.deepEqual(
        [answer.status, JSON.parse(answer.body).error.code, calls],
        [400, "REQUEST_INVALID", []],
      );
    });
  }

  for (const [what, headers] of [
    ["that says how long it is", {}],
    ["in chunks", { "transfer-encoding": "chunked" }],
  ] as readonly (readonly [string, Record<string, string>])[]) {
    it(`is refused with a body ${what} and is too long, and the server goes on`, async (t) => {
      const { ask, calls } = await useRollback(t, async () => rolledBack);
      const body = JSON.stringify({ to: "x".repeat(1_000_000) });
      const sized = "transfer-encoding" in headers ? headers : { "content-length": String(body.length) };
      const answer = await ask("POST", ROLLBACK, { ...RIGHT, ...sized }, body);
      assert.deepEqual([answer.status, JSON.parse(answer.body).error.code], [413, "REQUEST_TOO_LARGE"]);
      assert.deepEqual([calls, (await ask("GET", "/healthz")).status], [[], 200]);
    });
  }

  for (const [code, status] of [
    ["BUNDLE_UNKNOWN", 404],
    ["GENERATION_UNKNOWN", 404],
    ["NOTHING_TO_DO", 409],
    ["STORE_FAILED", 500],
  ] as readonly (readonly [ErrorCode, number])[]) {
    it(`says ${code} with ${status}`, async (t) => {
      const { ask } = await useRollback(t, () => Promise.reject(new KeyturnError(code, "why")));
      const answer = await ask("POST", ROLLBACK, RIGHT);
      assert.deepEqual(
        [answer.status, JSON.parse(answer.body)],
        [status, { error: { code, message: "why" } }],
      );
    });
  }

  for (const name of ["UPPER", "..", "a%2fb", "-a"]) {
    it(`of ${name}, which no bundle can be called, is of an unknown bundle`, async (t) => {
      const { ask, calls } = await useRollback(t, async () => rolledBack);
      const answer = await ask("POST", `/-/bundles/${name}/rollback`, RIGHT);
      assert.deepEqual(
        [answer.status, JSON.parse(answer.body).error.code, calls],
        [404, "BUNDLE_UNKNOWN", []],
      );
    });
  }

  it("is refused without the token before its name is looked at", async (t) => {
    const { ask, calls } = await useRollback(t, async () => rolledBack);
    const answers = [await ask("POST", ROLLBACK), await ask("POST", "/-/bundles/UPPER/rollback")];
    assert.deepEqual([answers.map(({ status }) => status), calls], [[401, 401], []]);
  });
});

describe("a retry", () => {
  for (const [what, result, status, done] of [
    ["live", { kind: "live", generation: BAD, warning: null }, 200, true],
    ["unchanged", { kind: "unchanged", generation: LIVE }, 200, true],
    ["pending", { kind: "pending", generation: BAD, message: "vllm is not running" }, 202, false],
    ["rolledBack", rolledBack, 409, false],
    ["failed", { kind: "failed", generation: null, message: "no space" }, 500, false],
  ] as readonly (readonly [string, ReloadOutcome, number, boolean])[]) {
    it(`that ended ${what} answers ${status}`, async (t) => {
      const { ask } = await useRetry(t, async () => ({ kind: "reloaded", outcome: result }));
      const answer = await ask("POST", RETRY, RIGHT);
      const { done: isDone, outcome } = JSON.parse(answer.body);
      assert.deepEqual([answer.status, isDone, outcome], [status, done, what]);
    });
  }

  it("of content that is rejected tells everything that is wrong with it", async (t) => {
    const { ask } = await useRetry(t, async () => ({ kind: "rejected", problems: [KEY_MISMATCH] }));
    const { status, body } = await ask("POST", RETRY, RIGHT);
    const { done, outcome, problems } = JSON.parse(body);
    assert.deepEqual([status, done, outcome, problems], [422, false, "rejected", [KEY_MISMATCH]]);
  });

  it("tells of old generations that could not be removed", async (t) => {
    const outcome = { kind: "live", generation: LIVE, warning: "000001 is still there" } as const;
    const { ask } = await useRetry(t, async () => ({ kind: "reloaded", outcome }));
    assert.equal(JSON.parse((await ask("POST", RETRY, RIGHT)).body).message, "000001 is still there");
  });

  it("takes nothing but the name", async (t) => {
    const { ask, calls } = await useRetry(t, async () => ({ kind: "rejected", problems: [] }));
    const answer = await ask("POST", RETRY, RIGHT, '{"to": "000001-9f86d081"}');
    assert.deepEqual([answer.status, calls], [400, []]);
  });
});

describe("the history of a bundle", () => {
  const found = { current: LIVE.id, generations: [LIVE, givenUp(BAD, LIVE)] };
  const history = (name: string) => (name === "inference" ? found : undefined);

  it("is everything on disk of it, oldest first, and which of it is current", async (t) => {
    const { status, body } = await (await useAdmin(t, { history })).ask("GET", "/bundles/inference/history");
    assert.deepEqual([status, JSON.parse(body)], [200, { bundle: "inference", ...found }]);
  });

  for (const name of ["other", "UPPER", "..", "%69nference"]) {
    it(`of ${name} is that of an unknown bundle`, async (t) => {
      const { status, body } = await (await useAdmin(t, { history })).ask("GET", `/bundles/${name}/history`);
      assert.deepEqual([status, JSON.parse(body).error.code], [404, "BUNDLE_UNKNOWN"]);
    });
  }
});

describe("the paths of bundles", () => {
  for (const [method, path, allow] of [
    ["GET", ROLLBACK, "POST"],
    ["PUT", RETRY, "POST"],
    ["POST", "/bundles/inference/history", "GET, HEAD"],
  ] as const) {
    it(`do not allow ${method} ${path}, and say what they allow`, async (t) => {
      const { status, headers } = await (await useAdmin(t)).ask(method, path);
      assert.deepEqual([status, headers.allow], [405, allow]);
    });
  }

  for (const path of [
    "/-/bundles/inference/remove",
    "/-/bundles/inference",
    "/-/bundles//rollback",
    "/-/bundles/a/b/rollback",
    "/bundles/inference",
    "/bundles//history",
    "/-/bundles/inference/constructor",
  ]) {
    it(`have no ${path}`, async (t) => {
      assert.equal((await (await useAdmin(t)).ask("POST", path, RIGHT)).status, 404);
    });
  }
});

async function useRollback(t: TestContext, rollback: () => Promise<ReloadOutcome>) {
  const calls: (readonly unknown[])[] = [];
  const admin = await useTrusted(t, {
    rollback: (...given) => {
      calls.push(given);
      return rollback();
    },
  });
  return { ...admin, calls };
}

async function useRetry(t: TestContext, retry: () => ReturnType<AdminOptions["retry"]>) {
  const calls: (readonly unknown[])[] = [];
  const admin = await useTrusted(t, {
    retry: (...given) => {
      calls.push(given);
      return retry();
    },
  });
  return { ...admin, calls };
}

async function useTrusted(t: TestContext, options: Partial<AdminOptions>): Promise<TestAdmin> {
  const file = await writeToken(t);
  return useAdmin(t, { ...options, tokenFile: () => file });
}
