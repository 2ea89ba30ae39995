import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type ExpirySettings,
  judgeExpiry,
  TAKEN_BACK_MS,
  thresholdsOf,
} from "../../src/expiry/thresholds.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DEFAULTS: ExpirySettings = { warnAtMs: [30 * DAY_MS, 7 * DAY_MS, DAY_MS], warnBelow: 1 / 3 };

describe("the thresholds of a certificate", () => {
  for (const [what, lifetimeMs, labels] of [
    ["for a year has all of them", 365 * DAY_MS, ["0s", "1d", "7d", "30d", "1/3"]],
    ["for 90 days has a third of its life at 30 days", 90 * DAY_MS, ["0s", "1d", "7d", "30d", "1/3"]],
    ["for 47 days comes to the share before the month", 47 * DAY_MS, ["0s", "1d", "7d", "1/3", "30d"]],
    ["for 30 days says nothing of 30 days", 30 * DAY_MS, ["0s", "1d", "7d", "1/3"]],
    ["for 30 days, backdated, says nothing of them either", 30.2 * DAY_MS, ["0s", "1d", "7d", "1/3"]],
    ["for a day has only the share, and its end", DAY_MS, ["0s", "1/3"]],
    ["for an hour too", HOUR_MS, ["0s", "1/3"]],
  ] as const) {
    it(`${what}`, () => {
      assert.deepEqual(labelsOf(lifetimeMs), labels);
    });
  }

  it("count a time that leaves exactly a tenth of the life before it", () => {
    assert.deepEqual(labelsOf(10 * DAY_MS, { warnAtMs: [9 * DAY_MS], warnBelow: 0 }), ["0s", "9d"]);
    assert.deepEqual(labelsOf(10 * DAY_MS, { warnAtMs: [9 * DAY_MS + 1], warnBelow: 0 }), ["0s"]);
  });

  it("are written in the largest unit that gives a whole number", () => {
    const warnAtMs = [24 * HOUR_MS, 36 * HOUR_MS, 90 * 60_000, 90_000, 1_500];
    assert.deepEqual(labelsOf(365 * DAY_MS, { warnAtMs, warnBelow: 0 }), [
      "0s",
      "1500ms",
      "90s",
      "90m",
      "1d",
      "36h",
    ]);
  });

  for (const [share, label] of [
    [0.25, "25%"],
    [0.125, "12.5%"],
    [0.33, "33%"],
    [1 / 3, "1/3"],
    [1, "100%"],
  ] as const) {
    it(`write the share ${share} as ${label}`, () => {
      assert.deepEqual(labelsOf(DAY_MS, { warnAtMs: [], warnBelow: share }), ["0s", label]);
    });
  }

  it("have each label once", () => {
    assert.deepEqual(labelsOf(365 * DAY_MS, { warnAtMs: [DAY_MS, 24 * HOUR_MS], warnBelow: 0 }), [
      "0s",
      "1d",
    ]);
  });

  it("are none where the dates cannot be read, but for the end, which never comes", () => {
    const thresholds = thresholdsOf({ notBefore: "never", notAfter: "never" }, DEFAULTS);
    assert.deepEqual(judgeExpiry(thresholds, Number.NaN, []).passed, []);
  });
});

describe("what there is to tell", () => {
  it("is nothing while more than every threshold is left", () => {
    assert.deepEqual(judge(40 * DAY_MS), { due: undefined, passed: [] });
  });

  it("begins when less than a threshold is left, and not at it", () => {
    assert.equal(judge(7 * DAY_MS).due, "30d");
    assert.equal(judge(7 * DAY_MS - 1).due, "7d");
  });

  it("is only the most urgent of several, and all of them count", () => {
    assert.deepEqual(judge(5 * HOUR_MS), { due: "1d", passed: ["1d", "7d", "30d", "1/3"] });
  });

  it("names the time where the share falls together with it", () => {
    assert.equal(judge(30 * DAY_MS - 1).due, "30d");
  });

  it("is the end from the moment after notAfter", () => {
    assert.equal(judge(0).due, "1d");
    assert.equal(judge(-1).due, "0s");
  });

  it("is nothing where it was told", () => {
    assert.equal(judge(6 * DAY_MS, ["7d", "30d", "1/3"]).due, undefined);
  });

  it("is nothing of a less urgent one once a more urgent one was told", () => {
    assert.equal(judge(6 * DAY_MS, ["7d"]).due, undefined);
  });

  it("is the next one where an earlier one was told", () => {
    assert.equal(judge(6 * DAY_MS, ["30d", "1/3"]).due, "7d");
  });

  it("is not said twice because a clock went back by a day", () => {
    const { told, takenBack } = judgeExpiry(LIFE, 8 * DAY_MS - 1, ["7d", "30d"]);
    assert.deepEqual([told, takenBack], [["7d", "30d"], []]);
  });

  it("is taken back where a clock that was days ahead told it", () => {
    const { told, takenBack } = judgeExpiry(LIFE, 29 * DAY_MS, ["0s", "1d", "7d", "30d", "1/3"]);
    assert.deepEqual(
      [told, takenBack],
      [
        ["30d", "1/3"],
        ["0s", "1d", "7d"],
      ],
    );
    assert.deepEqual(judgeExpiry(LIFE, 7 * DAY_MS + TAKEN_BACK_MS, ["7d"]).takenBack, []);
  });

  it("leaves what other settings told as it is", () => {
    assert.deepEqual(judgeExpiry(LIFE, 80 * DAY_MS, ["14d"]).told, ["14d"]);
  });

  it("comes once for each threshold, in the order of the end, however rarely one looks", () => {
    const looks = fc.array(fc.integer({ min: -2 * DAY_MS, max: 90 * DAY_MS }), { maxLength: 40 });
    fc.assert(
      fc.property(looks, (remaining) => {
        const told = new Set<string>();
        const heard: string[] = [];
        for (const remainingMs of [...remaining, -1].sort((a, b) => b - a)) {
          const { due, passed } = judgeExpiry(LIFE, remainingMs, told);
          if (due === undefined) continue;
          heard.push(due.label);
          for (const label of passed) told.add(label);
        }
        assert.equal(new Set(heard).size, heard.length);
        assert.equal(heard.at(-1), "0s");
        assert.deepEqual(
          heard,
          ["30d", "7d", "1d", "0s"].filter((label) => heard.includes(label)),
        );
      }),
    );
  });
});

const LIFE = thresholdsOf(leafFor(90 * DAY_MS), DEFAULTS);

function judge(remainingMs: number, told: readonly string[] = []) {
  const { due, passed } = judgeExpiry(LIFE, remainingMs, told);
  return { due: due?.label, passed };
}

function labelsOf(lifetimeMs: number, settings: ExpirySettings = DEFAULTS): string[] {
  return thresholdsOf(leafFor(lifetimeMs), settings).map(({ label }) => label);
}

/** A lifetime counts its last second. */
function leafFor(lifetimeMs: number) {
  const begin = Date.parse("2031-01-01T00:00:00.000Z");
  return {
    notBefore: new Date(begin).toISOString(),
    notAfter: new Date(begin + lifetimeMs - 1_000).toISOString(),
  };
}
