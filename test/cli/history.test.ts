import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeHistory } from "../../src/cli/history.ts";
import { useAdmin } from "../support/admin.ts";
import { runKeyturn } from "../support/daemon.ts";
import { givenUp } from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const OLD = generationOf("inference", "live", 1);
const LIVE = generationOf("inference", "live", 2);
const BAD = givenUp(generationOf("inference", "current", 3), LIVE, {
  cause: "operator",
  why: "an operator asked for it",
});
const HISTORY = { current: LIVE.id, generations: [OLD, LIVE, BAD] };

describe("the history for a person", () => {
  it("is a row for each generation, says which one is current, and why one was given up", () => {
    assert.deepEqual(describeHistory("inference", HISTORY).split("\n"), [
      "GENERATION      STATE                     STAGED                CHANGED               EXPIRES               DIGEST        WHY",
      "1-0123456789ab  live                      2031-01-01T00:00:00Z  2031-01-01T00:00:01Z  2031-02-01T00:00:00Z  111111111111",
      "2-0123456789ab  live (current)            2031-01-01T00:00:00Z  2031-01-01T00:00:01Z  2031-02-01T00:00:00Z  222222222222",
      "3-0123456789ab  rolledBack (quarantined)  2031-01-01T00:00:00Z  2031-01-01T00:00:01Z  2031-02-01T00:00:00Z  333333333333  operator: an operator asked for it",
    ]);
  });

  for (const [what, generation, current, state] of [
    ["current where not every service was told", generationOf("inference", "current"), true, "current"],
    ["staged where it is not current yet", generationOf("inference", "staged"), false, "staged"],
    [
      "rolledBack where its quarantine was lifted",
      givenUp(OLD, LIVE, { quarantined: false }),
      false,
      "rolledBack",
    ],
  ] as const) {
    it(`says ${what}`, () => {
      const history = { current: current ? generation.id : LIVE.id, generations: [generation] };
      const [, row = ""] = describeHistory("inference", history).split("\n");
      assert.equal(row.split(/ {2,}/)[1], state);
    });
  }

  it("has no end for a trust bundle, which has no leaf", () => {
    const [, row = ""] = describeHistory("ca", {
      current: null,
      generations: [{ ...OLD, leaf: null }],
    }).split("\n");
    assert.equal(row.split(/ {2,}/)[4], "-");
  });

  it("says that nothing is on disk yet", () => {
    assert.equal(
      describeHistory("inference", { current: null, generations: [] }),
      "inference: nothing is on disk yet",
    );
  });
});

describe("keyturn history", () => {
  it("prints what the daemon says, as a table or as JSON", async (t) => {
    const admin = await useAdmin(t, { history: () => HISTORY });
    const args = ["history", "inference", "--admin-listen", new URL(admin.url).host];
    const [table, json] = await Promise.all([runKeyturn(args), runKeyturn([...args, "--json"])]);
    assert.deepEqual([table.code, table.stdout], [0, `${describeHistory("inference", HISTORY)}\n`]);
    assert.deepEqual([json.code, JSON.parse(json.stdout)], [0, { bundle: "inference", ...HISTORY }]);
  });

  it("exits 1 where there is no such bundle", async (t) => {
    const admin = await useAdmin(t);
    const { code, stdout, stderr } = await runKeyturn([
      ...["history", "inference", "--admin-listen", new URL(admin.url).host],
    ]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^keyturn: BUNDLE_UNKNOWN: there is no bundle inference here/);
  });
});
