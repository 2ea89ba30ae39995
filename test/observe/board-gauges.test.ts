import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Registry } from "prom-client";
import type { DaemonEvent } from "../../src/core/events.ts";
import { showBoard } from "../../src/observe/board-gauges.ts";
import { boardAfter } from "../support/board.ts";
import * as events from "../support/events.ts";

/** Lines of these metrics after each of the lists of events, one scrape for each. */
async function scrapesAfter(...lists: readonly (readonly DaemonEvent[])[]): Promise<string[][]> {
  const registry = new Registry();
  let list: readonly DaemonEvent[] = [];
  showBoard(registry, () => boardAfter(...list));
  const scrapes: string[][] = [];
  for (list of lists) {
    const page = await registry.metrics();
    scrapes.push(page.split("\n").filter((line) => line.startsWith("keyturn_")));
  }
  return scrapes;
}

describe("the metrics of the status board", () => {
  it("say that a node is not ready before etcd was read", async () => {
    assert.deepEqual(await scrapesAfter([]), [["keyturn_ready 0"]]);
  });

  it("say that it is ready once every bundle is live, and which state each is in", async () => {
    const [lines] = await scrapesAfter([events.snapshot(), events.live()]);
    assert.deepEqual(lines, ["keyturn_ready 1", 'keyturn_bundle_state{bundle="inference",state="live"} 1']);
  });

  it("have one series for a bundle, whose state before is gone", async () => {
    const before = [events.snapshot(), events.live()];
    const [, lines] = await scrapesAfter(before, [...before, events.rejected()]);
    assert.deepEqual(lines, [
      "keyturn_ready 1",
      'keyturn_bundle_state{bundle="inference",state="rejected"} 1',
    ]);
  });
});
