import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeyturnError } from "../../src/core/errors.ts";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { BundleName } from "../../src/core/names.ts";
import { auditRegularly } from "../../src/reload/audit.ts";
import type { Finding } from "../../src/reload/ports.ts";
import { FakeClock } from "../support/fake-ports.ts";
import { nameOf } from "../support/material.ts";
import { until } from "../support/wait.ts";

const WRONG: readonly Finding[] = [{ message: "tls.key is missing", misleads: true }];

function setUp(
  audit: (name: BundleName) => Promise<readonly Finding[]>,
  busy: readonly string[] = [],
  holdFolder: () => Promise<void> = async () => undefined,
) {
  const clock = new FakeClock();
  const repaired: string[] = [];
  const audited: string[] = [];
  const events: DaemonEvent[] = [];
  const stop = new AbortController();
  const running = auditRegularly(
    {
      everyMs: 60_000,
      store: { names: () => ["a", "b", "c"].map(nameOf) },
      upkeep: {
        holdFolder,
        audit: async (name) => {
          audited.push(name);
          return audit(name);
        },
      },
      queue: { isBusy: (name) => busy.includes(name), repair: (name) => repaired.push(name) },
      clock,
      report: (event) => events.push(event),
    },
    stop.signal,
  );
  const round = () => until("a round is over", () => clock.sleeping === 1);
  return { clock, repaired, audited, events, stop, running, round };
}

describe("the audit", () => {
  it("looks at the start and then over and over, and has repaired what is wrong", async () => {
    let found: readonly Finding[] = [];
    const { clock, repaired, audited, round } = setUp(async (name) => (name === "b" ? found : []));
    await round();
    assert.deepEqual([audited.length, repaired], [3, []]);

    found = WRONG;
    clock.advance(60_000);
    await until("it is repaired", () => repaired.length === 1);

    assert.deepEqual(repaired, ["b"]);
  });

  it("leaves alone what is being reloaded", async () => {
    const { audited, repaired, round } = setUp(async () => WRONG, ["b"]);

    await round();

    assert.deepEqual(audited, ["a", "c"]);
    assert.deepEqual(repaired, ["a", "c"]);
  });

  it("says where it cannot look, and goes on with the others", async () => {
    const { audited, events, round } = setUp(async (name) => {
      if (name === "a") throw new Error("EIO: i/o error");
      return [];
    });

    await round();

    assert.deepEqual(audited, ["a", "b", "c"]);
    assert.deepEqual(events, [
      { type: "bundle.drifted", bundle: "a", findings: [], failure: "EIO: i/o error" },
    ]);
  });

  it("goes on where the folder cannot be had, and ends where another keyturn has it", async () => {
    let thrown = new KeyturnError("STORE_FAILED", "cannot use the output folder");
    const { clock, audited, running, round } = setUp(
      async () => [],
      [],
      () => Promise.reject(thrown),
    );
    await round();
    assert.deepEqual(audited, ["a", "b", "c"]);

    thrown = new KeyturnError("STORE_LOCKED", "another keyturn");
    clock.advance(60_000);

    await assert.rejects(running, { code: "STORE_LOCKED" });
    assert.equal(audited.length, 3);
  });

  it("ends with its signal", async () => {
    const { stop, running, round } = setUp(async () => []);
    await round();

    stop.abort();

    await running;
  });
});
