import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeyturnError } from "../../src/core/errors.ts";
import type { ReloadOutcome, RetryResult } from "../../src/core/outcome.ts";
import { notificationOf, settingsOf, useDesk } from "../support/alerts.ts";
import { givenUp, KEY_MISMATCH } from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const LIVE = generationOf("inference", "live");
const BAD = generationOf("inference", "current", 2);
const back = { kind: "rolledBack", generation: LIVE, from: givenUp(BAD, LIVE), message: "asked" } as const;

describe("the desk", () => {
  it("has done what a rule says, with the alert's name as the reason", async () => {
    const { send, acted } = useDesk();
    const [answer] = await send({});
    assert.deepEqual(acted, ["rollback inference: the alert ModelErrors asked for it"]);
    assert.deepEqual(
      [answer?.alert, answer?.bundle, answer?.action, answer?.result],
      ["ModelErrors", "inference", "rollback", "begun"],
    );
  });

  it("does nothing about what Alertmanager sends again, and something when the alert fires anew", async () => {
    const { send, acted, pass } = useDesk();
    for (let hour = 0; hour < 3; hour++) {
      await send({});
      pass(3_600_000);
    }
    assert.equal(acted.length, 1);
    await send({ startsAt: "2031-01-15T11:56:00.000Z" });
    // By then the rotation is too long ago.
    assert.equal(acted.length, 1);
    const again = useDesk({ settings: () => settingsOf({ within: 1e9, cooldown: 0 }) });
    await again.send({});
    await again.send({ startsAt: "2031-01-15T11:56:00.000Z" });
    assert.equal(again.acted.length, 2);
  });

  it("answers for each alert of a group, in their order", async () => {
    const { send, acted } = useDesk();
    const answers = await send(
      { labels: { alertname: "Other" } },
      {},
      { labels: { instance: "gpu-018:9464" } },
      { labels: { bundle: "inference", severity: "page" } },
    );
    assert.deepEqual(
      answers.map(({ result }) => result),
      ["ignored", "begun", "ignored", "limited"],
    );
    assert.equal(acted.length, 1);
  });

  it("does not wait for the end", async () => {
    let end: ((ended: RetryResult) => void) | undefined;
    const { desk, events } = useDesk({
      act: () =>
        new Promise((resolve) => {
          end = resolve;
        }),
    });
    const answer = desk.take(notificationOf({}));
    assert.equal(answer.ok && answer.alerts[0]?.result, "begun");
    const results = () => events.map((event) => (event.type === "alert.acted" ? event.result : event.type));
    assert.deepEqual(results(), ["begun"]);
    end?.({ kind: "reloaded", outcome: { ...back, unfinished: null } });
    await desk.settle();
    assert.deepEqual(results(), ["begun", "done"]);
  });

  it("holds a second action on the bundle back until the first has ended", async () => {
    let end: ((ended: RetryResult) => void) | undefined;
    const { desk } = useDesk({
      settings: () => settingsOf({ cooldown: 0 }),
      act: () =>
        new Promise((resolve) => {
          end = resolve;
        }),
    });
    const resultOf = (fingerprint: string) => {
      const answer = desk.take(notificationOf({ fingerprint }));
      return answer.ok && answer.alerts[0]?.result;
    };
    assert.deepEqual([resultOf("a"), resultOf("b")], ["begun", "limited"]);
    end?.({ kind: "reloaded", outcome: { ...back, unfinished: null } });
    await desk.settle();
    assert.equal(resultOf("b"), "begun");
  });

  it("has it done when it is sent again, where nothing was done the first time", async () => {
    let outcome: ReloadOutcome = { kind: "interrupted" };
    const { send } = useDesk({
      settings: () => settingsOf({ cooldown: 0 }),
      act: async () => ({ kind: "reloaded", outcome }),
    });
    await send({});
    outcome = { ...back, unfinished: null };
    const [second] = await send({});
    const [third] = await send({});
    assert.deepEqual([second?.result, third?.result], ["begun", "ignored"]);
  });

  it("takes the rules that are in force, and keeps its limits over a new configuration", async () => {
    let rules = settingsOf({ bundles: ["other"] });
    const { send, pass } = useDesk({ settings: () => rules });
    const [first] = await send({ fingerprint: "a" });
    rules = settingsOf();
    const [second] = await send({ fingerprint: "b" });
    rules = settingsOf({ atMost: 2 });
    pass(1);
    const [third] = await send({ fingerprint: "c" });
    assert.deepEqual([first?.result, second?.result, third?.result], ["ignored", "begun", "limited"]);
  });

  it("says what is wrong with a request, and does nothing", () => {
    const { desk, acted, events } = useDesk();
    const answer = desk.take({ version: "3", alerts: [] });
    assert.match(answer.ok ? "" : answer.why, /version/);
    assert.deepEqual([acted, events], [[], []]);
  });
});

describe("what an alert asked for", () => {
  const outcome = (ended: ReloadOutcome): RetryResult => ({ kind: "reloaded", outcome: ended });
  const nothing = new KeyturnError("NOTHING_TO_DO", "inference has no earlier generation that was live");
  for (const [what, action, end, result, message] of [
    [
      "is done once it went back",
      "rollback",
      outcome({ ...back, unfinished: null }),
      "done",
      /1-0123\w+ is current again$/,
    ],
    [
      "is done where a service is told later",
      "rollback",
      outcome({ ...back, unfinished: "vllm is down" }),
      "done",
      /vllm is down/,
    ],
    [
      "is done once it is live",
      "retry",
      outcome({ kind: "live", generation: BAD, warning: null }),
      "done",
      /is live/,
    ],
    [
      "is done once it is on disk",
      "retry",
      outcome({ kind: "pending", generation: BAD, message: "vllm is down" }),
      "done",
      /vllm/,
    ],
    [
      "failed where a service refused it again",
      "retry",
      outcome({ ...back, unfinished: null }),
      "failed",
      /current again: asked/,
    ],
    [
      "failed where the checks reject it",
      "retry",
      { kind: "rejected", problems: [KEY_MISMATCH] },
      "failed",
      /KEY_MISMATCH/,
    ],
    [
      "failed where going back did not work",
      "rollback",
      outcome({ kind: "failed", generation: null, message: "disk" }),
      "failed",
      /disk/,
    ],
    ["failed where something broke", "rollback", new Error("EIO"), "failed", /EIO/],
    ["was nothing where there is nothing to go back to", "rollback", nothing, "nothing", /no earlier/],
    ["was nothing where something newer came", "retry", outcome({ kind: "interrupted" }), "nothing", /newer/],
  ] as const) {
    it(what, async () => {
      const { send, events } = useDesk({
        settings: () => settingsOf({ do: action }),
        act: async () => {
          if (end instanceof Error) throw end;
          return end;
        },
      });
      await send({});
      const last = events.at(-1);
      assert.ok(last?.type === "alert.acted");
      assert.deepEqual(
        [last.alert, last.bundle, last.action, last.result],
        ["ModelErrors", "inference", action, result],
      );
      assert.match(last.message, message);
    });
  }
});
