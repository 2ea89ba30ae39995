/** What an operation of the real daemon changes on disk, taken down by the same calls that cells are counted by. */
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { TestContext } from "node:test";
import type { Change } from "../../support/changes.ts";
import { useFolder } from "../../support/folder.ts";
import { setOff, untilDone } from "./ending.ts";
import type { Operation } from "./operations.ts";
import { type Bench, startOrdered, useScene } from "./scene.ts";

/** Runs the operation to its end, and gives what it changed, with paths in the folder of its scene. */
export async function recordChanges(
  t: TestContext,
  bench: Bench,
  operation: Operation,
): Promise<readonly Change[]> {
  const scene = await useScene(t, bench, operation);
  const record = join(await useFolder(t), "changes");
  const daemon = await startOrdered(t, scene, { after: null, record });
  await setOff(scene, operation, daemon.log);
  await untilDone(scene, operation, bench.contents, daemon.log);
  daemon.process.kill("SIGTERM");
  await daemon.ended;
  const lines = (await readFile(record, "utf8")).trim().split("\n");
  const changes = lines.map((line) => JSON.parse(line) as Change);
  return changes.map((change) => ({ ...change, path: relative(scene.folder, change.path) }));
}
