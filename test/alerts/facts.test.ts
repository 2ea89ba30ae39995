import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { Generation } from "../../src/core/generation.ts";
import { alertFactsOf } from "../../src/local-alerts.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";
import { generationOf } from "../support/notice.ts";

const OLD = generationOf("inference", "live", 1);
const NEW = {
  ...generationOf("inference", "live", 2),
  id: "2-cccccccccccc",
  stagedAt: "2031-01-10T00:00:00.000Z",
  // A service took its time.
  changedAt: "2031-01-10T00:20:00.000Z",
} as Generation;
/** The same content as OLD, written again later. */
const COPY = { ...OLD, id: "3-0123456789ab", stagedAt: "2031-01-12T00:00:00.000Z" } as Generation;

function factsAfter(list: readonly DaemonEvent[], history: readonly Generation[]) {
  const [bundle] = boardAfter(...list).bundles;
  assert.ok(bundle);
  return alertFactsOf(bundle, history, OLD);
}

describe("what has to be known of a bundle before an alert acts", () => {
  it("is when the first service could have it, not when the last one had", () => {
    assert.deepEqual(factsAfter([events.live(NEW)], [OLD, NEW]), {
      isTurning: false,
      rotatedAt: new Date(NEW.stagedAt),
      wasPutBack: false,
      earlierUntil: new Date(OLD.leaf?.notAfter ?? ""),
      setAsideBy: null,
    });
  });

  it("is that old content was written again, and not rotated", () => {
    const { rotatedAt } = factsAfter([events.live(COPY)], [OLD, NEW, COPY]);
    assert.equal(rotatedAt?.toISOString(), OLD.stagedAt);
  });

  it("is that newer content is on its way", () => {
    assert.equal(factsAfter([events.live(NEW), events.accepted()], [OLD, NEW]).isTurning, true);
    assert.equal(factsAfter([events.live(NEW), events.waiting(false)], [OLD, NEW]).isTurning, true);
  });

  for (const cause of ["service", "operator", "alert"] as const) {
    it(`is that it was put back, and that it was by ${cause}`, () => {
      const given = events.givenUp(NEW, OLD, { cause });
      const list = [events.live(NEW), events.started(NEW), events.rolledBack(NEW, OLD)];
      const { wasPutBack, setAsideBy } = factsAfter(list, [OLD, given]);
      assert.deepEqual([wasPutBack, setAsideBy], [true, cause]);
    });
  }

  it("is that it was put back, of a copy of what was put back too", () => {
    const given = events.givenUp(NEW, OLD);
    assert.equal(factsAfter([events.live(COPY)], [OLD, given, COPY]).wasPutBack, true);
  });

  it("is nothing of a quarantine that was lifted", () => {
    const given = events.givenUp(NEW, OLD, { quarantined: false });
    const { wasPutBack, setAsideBy } = factsAfter([events.live(OLD)], [OLD, given]);
    assert.deepEqual([wasPutBack, setAsideBy], [false, null]);
  });

  it("is that nothing of it is on disk", () => {
    assert.equal(factsAfter([events.rejected()], []).rotatedAt, null);
  });
});
