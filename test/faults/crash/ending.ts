/** How an operation is set off, and what has to be so at its end, whichever daemon brings it there. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { type LogLine, useDaemon } from "../../support/daemon.ts";
import { until } from "../../support/wait.ts";
import { type Found, findSettled } from "./judge.ts";
import { type Contents, NAME, type Operation } from "./operations.ts";
import type { Scene } from "./scene.ts";

/** A daemon beside several others, on a machine that does more than this. */
export const PATIENCE_MS = 120_000;

/** Sets it off where the start of the daemon does not. */
export async function setOff(scene: Scene, { setOff }: Operation, log: readonly LogLine[]): Promise<void> {
  if (setOff === undefined) return;
  await until(
    "the daemon has read etcd",
    () => log.some(({ event }) => event === "bundle.unchanged"),
    PATIENCE_MS,
  );
  await scene.setOff();
}

/** Waits until a daemon that nobody kills has done it. */
export async function untilDone(
  scene: Scene,
  operation: Operation,
  contents: Contents,
  log: readonly LogLine[],
): Promise<void> {
  const last = operation.setOff === "deleteKey" ? "bundle.deleted" : "reload.finished";
  await until(
    `${operation.title} is done`,
    async () => {
      const hasEnded = log.some(({ event }) => event === last);
      return hasEnded && (await isDone(scene, operation, contents));
    },
    PATIENCE_MS,
  );
}

/** The next daemon finishes what was begun. */
export async function checkNext(
  t: TestContext,
  scene: Scene,
  operation: Operation,
  contents: Contents,
): Promise<void> {
  const daemon = await useDaemon(t, scene.folder, scene.settings);
  await until(
    "the next daemon has finished it",
    async () => {
      const bundle = await daemon.bundle(NAME);
      const isOver = bundle === undefined || (bundle.live && operation.ends.includes(bundle.state));
      return isOver && (await isDone(scene, operation, contents));
    },
    PATIENCE_MS,
  ).catch((thrown) => {
    throw new Error(`${thrown}: ${findAll(scene).faults.join("; ")}`);
  });
  await daemon.stop();
  assert.deepEqual(findAll(scene).faults, []);
  assert.deepEqual(scene.service.misled, []);
}

/** Whether everything is as it has to be at the end. */
async function isDone(scene: Scene, operation: Operation, contents: Contents): Promise<boolean> {
  const { leaf, faults } = findAll(scene);
  if (faults.length > 0) return false;
  if (leaf === undefined) return operation.orElse === "nothing";
  const wanted = contents[operation.after].leaf.fingerprint256;
  return leaf === wanted && (await scene.service.served()) === wanted;
}

/** Of the bundle's folder, what is beside it, and the service's own files. */
function findAll(scene: Scene): Found {
  const { leaf, faults: ofBundle } = findSettled(scene.dir);
  const beside = readdirSync(dirname(scene.dir)).filter((name) => /^\.(new|old)-/.test(name));
  const faults = [...ofBundle, ...beside.map((name) => `${name} is left over`)];
  // What a bundle left in a service's own files stays where the bundle is taken away.
  return { leaf, faults: leaf === undefined ? faults : [...faults, ...findOwnFaults(scene)] };
}

/** The service's own files are those of what is current, with nothing beside them. */
function findOwnFaults({ dir, folder, ownFiles }: Scene): readonly string[] {
  const read = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      // It is not there, or not any more.
      return "";
    }
  };
  const sources = [
    [ownFiles.pem, "tls.pem"],
    [ownFiles.ca, "ca.crt"],
  ] as const;
  return sources.flatMap(([path, source]) => [
    ...(read(path) === read(join(dir, source)) ? [] : [`${path} is not what is current`]),
    ...(existsSync(join(folder, `.${basename(path)}.keyturn-new`)) ? [`${path} has a leftover`] : []),
  ]);
}
