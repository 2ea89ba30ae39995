/** Folders that the daemon's user may no longer write: what is live stays, and the newest content goes live when it may. */
import assert from "node:assert/strict";
import { chmodSync, chownSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { useFolder } from "../../support/folder.ts";
import { becomeNobody, IS_ROOT } from "../../support/nobody.ts";
import { pictureOf } from "../../support/picture.ts";
import { until } from "../../support/wait.ts";
import { useDiskStand } from "./stand.ts";

async function setUp(t: TestContext) {
  const folder = await useFolder(t);
  return useDiskStand(t, folder, { output: { auditEvery: "1h" } }, becomeNobody(folder));
}

/** What is done to the folder of generations, and undone. */
const DENIALS: readonly (readonly [string, (path: string) => void, (path: string) => void])[] = [
  ["without the right to write", (path) => chmodSync(path, 0o500), (path) => chmodSync(path, 0o700)],
  ["without any right", (path) => chmodSync(path, 0), (path) => chmodSync(path, 0o700)],
];

describe("a folder of generations, for a daemon that is not root", () => {
  for (const [what, deny, allow] of DENIALS) {
    it(`${what} leaves what is live, is told of, and is written when that is put right`, async (t) => {
      const stand = await setUp(t);
      const { daemon, service, dir, first } = stand;
      const generations = join(dir, ".generations");
      const before = pictureOf(dir);

      deny(generations);
      const second = await stand.put();
      const failure = await until("it fails", async () => {
        const { state, lastReload } = (await daemon.bundle("inference")) ?? {};
        return state === "failed" ? (lastReload?.message ?? "") : undefined;
      });
      assert.match(failure, /EACCES.*the user keyturn runs as may not/);
      assert.ok(failure.includes(dir), failure);
      assert.equal(service.hooks.length, 1);
      assert.equal(await service.served(first.ca), first.leaf.fingerprint256);

      allow(generations);
      assert.deepEqual(pictureOf(dir), before);
      await stand.untilServed(second);
      assert.deepEqual(service.misled, []);
    });
  }

  it("of root stays as it is, and is told of, with what to look at", async (t) => {
    if (!IS_ROOT) return t.skip("only root can give a folder away");
    const stand = await setUp(t);
    const { daemon, service, dir } = stand;

    chownSync(join(dir, ".generations"), 0, 0);
    chmodSync(join(dir, ".generations"), 0o755);
    await stand.put();
    const failure = await until("it fails", async () => {
      const { state, lastReload } = (await daemon.bundle("inference")) ?? {};
      return state === "failed" ? (lastReload?.message ?? "") : undefined;
    });

    assert.match(failure, /\.generations.*the user keyturn runs as may not: check the folder.s owner/);
    assert.equal(service.hooks.length, 1);
  });
});
