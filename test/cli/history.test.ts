import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeHistory } from "../../src/cli/history.ts";
import { widthOf } from "../../src/cli/width.ts";
import { useAdmin } from "../support/admin.ts";
import { boardAfter } from "../support/board.ts";
import { runKeyturn } from "../support/daemon.ts";
import * as events from "../support/events.ts";
import { givenUp } from "../support/events.ts";
import { generationOf } from "../support/notice.ts";
import { narrow, PIPE } from "../support/screen.ts";

const OLD = generationOf("inference", "live", 1);
const LIVE = generationOf("inference", "live", 2);
const BAD = givenUp(generationOf("inference", "current", 3), LIVE, {
  cause: "operator",
  why: "an operator asked for it",
});
const HISTORY = { current: LIVE.id, generations: [OLD, LIVE, BAD] };
const NOW = new Date("2031-01-15T00:00:01.000Z");

describe("the history for a person", () => {
  it("is a row for each generation, says which one is current, and why one was given up", () => {
    const [head, ...rows] = describeHistory("inference", HISTORY, NOW, PIPE);
    assert.match(head ?? "", /^GENERATION +STATE +SINCE +AT +LEFT +REVISION +DIGEST +WHY$/);
    const digit = (one: string) => one.repeat(64);
    assert.deepEqual(
      rows.map((row) => row.split(/ {2,}/)),
      [
        ["1-0123456789ab", "live", "14 days ago", "2031-01-01 00:00:01Z", "17.0 d", "41", digit("1")],
        [
          "2-0123456789ab",
          "live (current)",
          "14 days ago",
          "2031-01-01 00:00:01Z",
          "17.0 d",
          "42",
          digit("2"),
        ],
        [
          ...[
            "3-0123456789ab",
            "rolledBack (quarantined)",
            "14 days ago",
            "2031-01-01 00:00:01Z",
            "17.0 d",
            "43",
          ],
          ...[digit("3"), "operator: an operator asked for it"],
        ],
      ],
    );
  });

  it("fits a narrow terminal, and still says why", () => {
    const lines = describeHistory("inference", HISTORY, NOW, narrow(100));
    for (const line of lines) assert.ok(widthOf(line) <= 100, line);
    assert.match(lines.at(-1) ?? "", /asked for it$/);
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
      const [, row = ""] = describeHistory("inference", history, NOW, PIPE);
      assert.equal(row.split(/ {2,}/)[1], state);
    });
  }

  it("has no end for a trust bundle, which has no leaf", () => {
    const history = { current: null, generations: [{ ...OLD, leaf: null }] };
    const [, row = ""] = describeHistory("ca", history, NOW, PIPE);
    assert.equal(row.split(/ {2,}/)[4], "-");
  });

  it("says that nothing is on disk yet, and where to look", () => {
    assert.deepEqual(describeHistory("inference", { current: null, generations: [] }, NOW, PIPE), [
      "inference: nothing is on disk yet; why: keyturn status inference",
    ]);
  });
});

describe("keyturn history", () => {
  it("prints what the daemon says, as a table or as JSON", async (t) => {
    const admin = await useAdmin(t, { history: () => HISTORY });
    const args = ["history", "inference", "--admin-listen", new URL(admin.url).host];
    const [table, json] = await Promise.all([runKeyturn(args), runKeyturn([...args, "--json"])]);
    assert.equal(table.code, 0);
    assert.match(table.stdout, /^GENERATION .*\n1-0123456789ab .*\n2-0123456789ab .*\n3-0123456789ab .*\n$/);
    assert.deepEqual([json.code, JSON.parse(json.stdout)], [0, { bundle: "inference", ...HISTORY }]);
  });

  it("exits 1 where there is no such bundle, and says which one may be meant", async (t) => {
    const admin = await useAdmin(t, { status: () => boardAfter(events.live()) });
    const { code, stdout, stderr } = await runKeyturn([
      ...["history", "infrence", "--admin-listen", new URL(admin.url).host],
    ]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^keyturn: BUNDLE_UNKNOWN: there is no bundle infrence here.*\n {2}did you mean inference\?\n$/,
    );
  });
});
