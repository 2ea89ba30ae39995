/**
 * The real daemon is killed before each change that it makes on disk, and while it tells and looks at a service; the
 * next one finishes what was begun. What is changed is taken down from a run to the end, so that the cells stay true.
 */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { useEtcd } from "../../support/etcd.ts";
import { until } from "../../support/wait.ts";
import { type Cell, cellsOf } from "./cells.ts";
import { recordChanges } from "./changes.ts";
import { checkNext, PATIENCE_MS, setOff } from "./ending.ts";
import { findCurrent } from "./judge.ts";
import { makeContents, OPERATIONS, type Operation } from "./operations.ts";
import { type Bench, type Scene, startOrdered, useScene, type WatchedDaemon } from "./scene.ts";
import { MOMENTS, type Moment } from "./service.ts";

const FEWEST_CELLS = 60;
/** Steps of src/store/steps.ts that change something: 5 waits for the medium, and 11 only looks where nothing is wrong. */
const NUMBERED = [1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 13];
const SIDE_BY_SIDE = 4;

/** After the kill: what a reader finds is one of the two, whole. */
function checkKilled({ dir }: Scene, operation: Operation, { contents }: Bench): void {
  const { leaf, faults } = findCurrent(dir);
  const { before, after, inEtcd, orElse, isDamaged } = operation;
  if (isDamaged) return;
  assert.deepEqual(faults, []);
  const allowed = [before, after, inEtcd].flatMap((one) => (one ? [contents[one].leaf.fingerprint256] : []));
  if (leaf === undefined) assert.ok(before === null || orElse === "nothing", "nothing is current");
  else assert.ok(allowed.includes(leaf));
}

async function breakOff(t: TestContext, bench: Bench, operation: Operation, { after }: Cell): Promise<void> {
  const scene = await useScene(t, bench, operation);
  const daemon = await startOrdered(t, scene, { after, record: null });
  await setOff(scene, operation, daemon.log);
  await untilKilled(daemon);
  checkKilled(scene, operation, bench);
  await checkNext(t, scene, operation, bench.contents);
}

async function breakOffAt(
  t: TestContext,
  bench: Bench,
  operation: Operation,
  moment: Moment,
  reason: string,
) {
  const scene = await useScene(t, bench, operation);
  const daemon = await startOrdered(t, scene, { after: null, record: null });
  scene.service.at(moment, reason, () => daemon.process.kill("SIGKILL"));
  await untilKilled(daemon);
  checkKilled(scene, operation, bench);
  await checkNext(t, scene, operation, bench.contents);
}

async function untilKilled({ process }: WatchedDaemon): Promise<void> {
  await until(
    "the daemon is killed",
    () => process.exitCode !== null || process.signalCode !== null,
    PATIENCE_MS,
  );
  assert.equal(process.signalCode, "SIGKILL");
}

describe("a daemon that is killed at any step", () => {
  it("leaves what the next one finishes", { concurrency: SIDE_BY_SIDE }, async (t) => {
    const bench = { etcd: await useEtcd(t), contents: await makeContents() };
    const cells: Promise<void>[] = [];
    const steps = new Set<number>();
    for (const operation of OPERATIONS) {
      const changes = await recordChanges(t, bench, operation);
      for (const cell of cellsOf(changes, operation)) {
        const { step, change, after } = cell;
        steps.add(Number.parseInt(step, 10));
        const title = `${operation.title}: step ${step}, before ${change.call} (change ${after + 1})`;
        cells.push(t.test(title, (inner) => breakOff(inner, bench, operation, cell)));
      }
      const { told } = operation;
      if (told === undefined) continue;
      for (const moment of MOMENTS) {
        const title = `${operation.title}: ${told}, when the ${moment}`;
        cells.push(t.test(title, (inner) => breakOffAt(inner, bench, operation, moment, told)));
      }
    }
    await Promise.all(cells);
    t.diagnostic(`${cells.length} cells`);
    assert.ok(cells.length >= FEWEST_CELLS);
    assert.deepEqual(
      NUMBERED.filter((step) => !steps.has(step)),
      [],
    );
  });
});
