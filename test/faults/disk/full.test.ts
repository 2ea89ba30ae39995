/** A disk that fills up at any point of a rotation: what is live stays, and the newest content goes live by itself. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { useFolder } from "../../support/folder.ts";
import { pictureOf } from "../../support/picture.ts";
import { type SmallDisk, useSmallDisk } from "../../support/small-disk.ts";
import { until } from "../../support/wait.ts";
import { type DiskStand, useDiskStand } from "./stand.ts";

const ROOMY = { kib: 1_024, inodes: 200 };

interface Rotation {
  readonly disk: SmallDisk;
  readonly stand: DiskStand;
}

/** Puts new content on a disk with so little room. Gives what failed; undefined where it fitted. */
async function rotateWith({ disk, stand }: Rotation, room: Parameters<SmallDisk["leave"]>[0]) {
  const { daemon, service, dir, put, untilServed } = stand;
  const [before, hooks] = [pictureOf(dir), service.hooks.length];
  const served = await service.served(stand.first.ca);
  disk.leave(room);
  const pems = await put();
  const failure = await until("it fails, or fits", async () => {
    const { state, live, generation, lastReload } = (await daemon.bundle("inference")) ?? {};
    if (state === "failed") return lastReload?.message ?? "";
    return live && generation?.leaf?.fingerprint256 === pems.leaf.fingerprint256 ? "fits" : undefined;
  });
  if (failure !== "fits") {
    assert.match(failure, /ENOSPC/);
    assert.ok(failure.includes(dir), `${failure} says where`);
    assert.match(failure, /free some space/);
    if (/^cannot record/.test(failure)) {
      assert.equal(service.hooks.length, hooks + 1);
      await until("nothing is left behind", () => leftoversIn(dir).length === 0);
    } else {
      assert.equal(service.hooks.length, hooks);
      assert.equal(await service.served(stand.first.ca), served);
      // An attempt may be under way at any time; what it leaves for good is what counts.
      await until("nothing is left behind", () => isSame(pictureOf(dir), before));
    }
  }
  disk.freeUp();
  await untilServed(pems);
  assert.equal(service.hooks.length, hooks + 1);
  assert.deepEqual(leftoversIn(dir), []);
  return failure === "fits" ? undefined : failure;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.join("\n") === b.join("\n");
}

function leftoversIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true })
    .map(String)
    .filter((path) => /(^|\/)\.(new|old)-/.test(path));
}

/** What the daemon was doing, without names and numbers. */
function stepOf(failure: string): string {
  return /^cannot (\w+)/.exec(failure)?.[1] ?? failure;
}

async function setUp(t: TestContext): Promise<Rotation | undefined> {
  const folder = await useFolder(t);
  const disk = await useSmallDisk(t, folder, ROOMY);
  if (disk === undefined) return undefined;
  const output = { dir: join(disk.path, "output"), keep: 1 };
  return { disk, stand: await useDiskStand(t, folder, { output }) };
}

/** From no room at all to enough. */
async function rotateAtEveryLevel(t: TestContext, kind: "blocks" | "inodes"): Promise<string[] | undefined> {
  const rotation = await setUp(t);
  if (rotation === undefined) return undefined;
  const failures: string[] = [];
  for (let free = 0; ; free++) {
    const failure = await rotateWith(rotation, { [kind]: free });
    if (failure === undefined) break;
    failures.push(failure);
  }
  const { daemon, service } = rotation.stand;
  const count = await daemon.metric("keyturn_reloads_total", { bundle: "inference", outcome: "failed" });
  assert.ok(count >= failures.length);
  assert.equal(daemon.process.exitCode, null);
  assert.deepEqual(service.misled, []);
  return failures;
}

describe("a disk without space", () => {
  it("leaves what is live as it is wherever writing fails, and what was put goes live when there is some", async (t) => {
    const failures = await rotateAtEveryLevel(t, "blocks");
    if (failures === undefined) return;
    t.diagnostic(`failed: ${failures.map(stepOf).join(", ")}`);
    assert.ok(failures.length >= 5);
  });

  it("does the same where inodes are what is used up", async (t) => {
    const failures = await rotateAtEveryLevel(t, "inodes");
    if (failures === undefined) return;
    t.diagnostic(`failed: ${failures.map(stepOf).join(", ")}`);
    assert.ok(failures.length >= 7);
  });
});
