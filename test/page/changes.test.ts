import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import { StatusBoard } from "../../src/observe/board.ts";
import { PageChanges } from "../../src/page/changes.ts";
import * as events from "../support/events.ts";
import { nameOf } from "../support/material.ts";
import { generationOf } from "../support/notice.ts";

const NOW = new Date("2031-01-15T00:00:00.000Z");
const YEAR_MS = 366 * 86_400_000;

describe("what has changed on the page", () => {
  it("is nothing where nothing has", () => {
    const { changes } = setUp();
    const { place } = changes;
    changes.refresh();
    assert.deepEqual([changes.since(place), changes.place], [undefined, place]);
  });

  it("is the one bundle that has, and the counts with it", () => {
    const { changes, note } = setUp();
    const { place } = changes;
    note(events.rejected());
    const { id, update } = read(changes.since(place));
    assert.deepEqual(Object.keys(update.bundles), ["inference"]);
    assert.match(update.bundles.inference ?? "", /KEY_MISMATCH/);
    assert.deepEqual(Object.keys(update.parts), ["counts"]);
    // The broken one is the first now.
    assert.deepEqual(update.order, ["inference", "alpha"]);
    assert.deepEqual(changes.since(id), undefined);
  });

  it("is made once for all that are at the same place", () => {
    const { changes, note } = setUp();
    const { place } = changes;
    note(events.rejected());
    assert.equal(changes.since(place), changes.since(place));
  });

  it("is everything for who comes from before a restart, or from nowhere", () => {
    const { changes } = setUp();
    for (const place of ["0a1b2c3d-1", "", "nonsense", `${changes.place}000`, `${changes.place}.5`]) {
      const { update } = read(changes.since(place));
      assert.deepEqual(Object.keys(update.bundles).sort(), ["alpha", "inference"]);
      assert.deepEqual(Object.keys(update.parts), ["node", "counts", "services"]);
    }
  });

  it("is everything since, for who was told nothing for a while", () => {
    const { changes, note } = setUp();
    const { place } = changes;
    note(events.rejected());
    note({ ...events.rejected(), bundle: nameOf("alpha") } as DaemonEvent);
    const { update } = read(changes.since(place));
    assert.deepEqual(Object.keys(update.bundles).sort(), ["alpha", "inference"]);
  });

  it("is a new order where a bundle is gone", () => {
    const { changes, note } = setUp();
    const { place } = changes;
    note(events.deleted(true));
    const { update } = read(changes.since(place));
    assert.deepEqual([update.order, update.bundles], [["alpha"], {}]);
  });

  it("leaves the details of very many to be asked for", () => {
    const { changes, board } = setUp();
    const { place } = changes;
    for (let at = 0; at < 100; at++) board.note(liveOf(`model-${at}`));
    changes.refresh();
    const { update } = read(changes.since(place));
    assert.match(update.bundles["model-7"] ?? "", /data-later="model-7"/);
  });

  it("says what the time is when it is sent, not when it was made for another page", () => {
    const { changes, note, pass } = setUp();
    const { place } = changes;
    note(events.rejected());
    assert.equal(read(changes.since(place)).update.now, NOW.toISOString());
    pass(3_600_000);
    changes.refresh();
    assert.equal(read(changes.since(place)).update.now, "2031-01-15T01:00:00.000Z");
  });

  it("is a bundle too whose certificate came to its end", () => {
    const { changes, pass } = setUp();
    const { place } = changes;
    pass(YEAR_MS);
    changes.refresh();
    const { update } = read(changes.since(place));
    assert.match(update.parts.counts ?? "", /expired/);
    // What the counts name is what the search finds.
    assert.match(update.bundles.inference ?? "", /data-find="[^"]* expired /);
  });

  it("is one line of data, whatever is in it", () => {
    const { changes, note } = setUp();
    const { place } = changes;
    note(events.rejected({ code: "KEY_MISMATCH", message: "a\n\ndata: b\u2028c" }));
    const text = String(changes.since(place));
    assert.match(text, /^event: update\nid: [0-9a-f]{8}-\d+\ndata: [^\n]*\n\n$/);
  });
});

function setUp() {
  let now = NOW;
  const board = new StatusBoard("gpu-017", "1.2.3", () => now);
  for (const event of [events.connected, events.snapshot(), liveOf("alpha"), events.live()])
    board.note(event);
  const changes = new PageChanges({ status: () => board.status(), onDisk: () => undefined, now: () => now });
  changes.refresh();
  const note = (event: DaemonEvent) => {
    board.note(event);
    changes.refresh();
  };
  const pass = (ms: number) => {
    now = new Date(now.getTime() + ms);
  };
  return { board, changes, note, pass };
}

function liveOf(name: string): DaemonEvent {
  return { ...events.live(generationOf(name, "live")), bundle: nameOf(name) } as DaemonEvent;
}

function read(message: Buffer | undefined) {
  const [, id = "", data = ""] = /^event: update\nid: (.*)\ndata: (.*)\n\n$/.exec(String(message)) ?? [];
  const update = JSON.parse(data) as {
    readonly now: string;
    readonly parts: Readonly<Record<string, string>>;
    readonly order: readonly string[] | null;
    readonly bundles: Readonly<Record<string, string>>;
  };
  return { id, update };
}
