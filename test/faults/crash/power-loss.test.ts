/**
 * What the real daemon does on disk is taken down by strace, and the power fails after each of the system calls, in
 * every way that `disk.ts` knows: what is found then is whole, and start-up goes on from it.
 */
import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { useEtcd } from "../../support/etcd.ts";
import { useFolder } from "../../support/folder.ts";
import { writeDisk } from "./disk.ts";
import { checkNext } from "./ending.ts";
import { losePower, type Remains, randomFrom, waysToLose } from "./loss.ts";
import { makeContents, OPERATIONS } from "./operations.ts";
import { findFaults, type Recording, recordOperation, withoutSyncs } from "./power-loss.ts";
import { type Bench, useScene } from "./scene.ts";

const SEED = 1;
/** At each step, of either kind in between the extremes. */
const SAMPLES = 2;
/** Of the disks that are left, so many are started from by the real daemon, from early to late in each operation. */
const DAEMONS = 4;

describe("a power cut at any system call", () => {
  it("leaves what is whole, and what start-up goes on from", async (t) => {
    const bench = { etcd: await useEtcd(t), contents: await makeContents() };
    for (const operation of OPERATIONS) {
      await t.test(`of ${operation.title}`, async (t) => {
        const recording = await recordOperation(t, bench, operation);
        const { steps } = recording;
        const random = randomFrom(SEED);
        const { tried, remains } = losePower(recording, random, SAMPLES);
        const names = steps.filter(({ what }) => what === "name").length;
        assert.equal(tried, (steps.length + 1) * waysToLose(random, 0, SAMPLES).length);
        assert.ok(remains.length > names, "each name that is made or moved is another disk");

        assert.deepEqual(await findAllFaults(t, recording, remains), []);
        for (let i = 0; i < DAEMONS; i++) {
          const at = Math.floor(((i + random()) * remains.length) / DAEMONS);
          await startDaemonOn(t, bench, recording, remains[at]);
        }
        t.diagnostic(`${steps.length} system calls, ${tried} power cuts, ${remains.length} different disks`);
      });
    }
  });

  it("would leave torn files without fsync", async (t) => {
    const [operation] = OPERATIONS;
    assert.ok(operation);
    const bench = { etcd: await useEtcd(t), contents: await makeContents() };
    const recording = withoutSyncs(await recordOperation(t, bench, operation));
    const { remains } = losePower(recording, randomFrom(SEED), SAMPLES);

    const faults = await findAllFaults(t, recording, remains);

    assert.ok(faults.some((fault) => fault.endsWith("has no manifest")));
    assert.ok(faults.some((fault) => fault.includes("the service's own file: no certificate and key")));
  });
});

async function findAllFaults(
  t: TestContext,
  recording: Recording,
  remains: readonly Remains[],
): Promise<readonly string[]> {
  const folder = join(await useFolder(t), "node");
  const faults: string[] = [];
  for (const one of remains) faults.push(...(await findFaults(recording, one, folder)));
  return faults;
}

/** The real daemon, with its service and what etcd holds. */
async function startDaemonOn(
  t: TestContext,
  bench: Bench,
  { operation }: Recording,
  remains: Remains | undefined,
): Promise<void> {
  assert.ok(remains);
  const scene = await useScene(t, bench, operation);
  // Of what set it off, etcd knows still.
  if (operation.setOff === "deleteKey") await scene.setOff();
  rmSync(scene.folder, { recursive: true });
  writeDisk(remains.disk, scene.folder);
  const combined = join(scene.dir, "tls.pem");
  if (existsSync(combined)) scene.service.read(combined);
  await checkNext(t, scene, operation, bench.contents);
}
