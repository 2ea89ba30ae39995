/** A disk that becomes read-only: what is live stays, it is told, and the newest content goes live when it is writable. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { useDaemon } from "../../support/daemon.ts";
import { useFolder } from "../../support/folder.ts";
import { pictureOf } from "../../support/picture.ts";
import { useSmallDisk } from "../../support/small-disk.ts";
import { until } from "../../support/wait.ts";
import { useDiskStand } from "./stand.ts";

const ROOMY = { kib: 1_024, inodes: 200 };

describe("a disk that becomes read-only", () => {
  it("leaves what is live, is told of with what to do, and takes what was put when it is writable again", async (t) => {
    const folder = await useFolder(t);
    const disk = await useSmallDisk(t, folder, ROOMY);
    if (disk === undefined) return;
    const stand = await useDiskStand(t, folder, { output: { dir: join(disk.path, "output") } });
    const { daemon, service, dir, first } = stand;
    const before = pictureOf(dir);

    await disk.remount("ro");
    const second = await stand.put();
    const failure = await until("it fails", async () => {
      const { state, lastReload } = (await daemon.bundle("inference")) ?? {};
      return state === "failed" ? (lastReload?.message ?? "") : undefined;
    });

    assert.match(failure, /EROFS.*the file system is read-only: mount it writable/);
    assert.ok(failure.includes(dir));
    assert.deepEqual(pictureOf(dir), before);
    assert.equal(await service.served(first.ca), first.leaf.fingerprint256);
    assert.equal(service.hooks.length, 1);

    await disk.remount("rw");
    await stand.untilServed(second);
    assert.equal(service.hooks.length, 2);
    assert.deepEqual(service.misled, []);
  });

  it("can be started on: what is live is known, and is not touched", async (t) => {
    const folder = await useFolder(t);
    const disk = await useSmallDisk(t, folder, ROOMY);
    if (disk === undefined) return;
    const output = { dir: join(disk.path, "output") };
    const stand = await useDiskStand(t, folder, { output });
    const { service, dir, etcd } = stand;
    await stand.daemon.stop();
    const before = pictureOf(dir);
    await disk.remount("ro");

    const next = await useDaemon(t, folder, {
      etcd: { endpoints: [etcd.endpoint] },
      services: [service.settings],
      output,
    });
    await next.untilLive("inference");

    assert.deepEqual(pictureOf(dir), before);
    assert.equal(service.hooks.length, 1);
  });
});
