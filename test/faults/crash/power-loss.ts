/** Records what an operation does on disk, and starts again on what a power cut leaves of it. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { FileStore } from "../../../src/store/file-store.ts";
import { bundleOf } from "../../support/bundle.ts";
import { useFolder } from "../../support/folder.ts";
import { storeOptions } from "../../support/store.ts";
import { hasLogEnded } from "../../support/strace.ts";
import { until } from "../../support/wait.ts";
import { type Disk, readDisk, writeDisk } from "./disk.ts";
import { setOff, untilDone } from "./ending.ts";
import { faultsOfPair, findCurrent, findSettled } from "./judge.ts";
import type { Remains } from "./loss.ts";
import { type Contents, NAME, type Operation } from "./operations.ts";
import { readRecording } from "./recording.ts";
import { type Bench, startTraced, useScene } from "./scene.ts";
import { type Step, stepsOf } from "./steps.ts";

/** What an operation did, from what it began with. */
export interface Recording {
  readonly operation: Operation;
  readonly contents: Contents;
  readonly disk: Disk;
  readonly steps: readonly Step[];
}

/** Runs the real daemon to the end of the operation, with strace beside it. */
export async function traceOperation(t: TestContext, bench: Bench, operation: Operation) {
  const scene = await useScene(t, bench, operation);
  const { folder } = scene;
  const disk = readDisk(folder);
  const logFile = join(await useFolder(t), "strace");
  const daemon = await startTraced(t, scene, logFile);
  await setOff(scene, operation, daemon.log);
  await untilDone(scene, operation, bench.contents, daemon.log);
  daemon.process.kill("SIGTERM");
  await daemon.ended;
  await until("strace has written everything", () => hasLogEnded(logFile, daemon.process.pid));
  return { folder, disk, calls: readRecording(readFileSync(logFile, "utf8"), folder) };
}

/** The same, as steps on the disk that it began with. */
export async function recordOperation(
  t: TestContext,
  bench: Bench,
  operation: Operation,
): Promise<Recording> {
  const { folder, disk, calls } = await traceOperation(t, bench, operation);
  return { operation, contents: bench.contents, disk, steps: stepsOf(disk, folder, calls) };
}

/** The same without a single fsync. */
export function withoutSyncs({ steps, ...rest }: Recording): Recording {
  return { ...rest, steps: steps.filter(({ what }) => what !== "sync") };
}

/** What is wrong with what is left: to a service that reads it at boot, to the start-up, and after it has gone on. */
export async function findFaults(
  { operation, contents }: Recording,
  { title, disk }: Remains,
  folder: string,
): Promise<readonly string[]> {
  rmSync(folder, { recursive: true, force: true });
  writeDisk(disk, folder);
  const options = storeOptions(folder, { keep: 1 });
  const dir = join(options.dir, NAME);
  const faults = operation.isDamaged ? [] : findReaderFaults(operation, contents, folder, dir);
  try {
    const store = await FileStore.open(options);
    try {
      await goOn(store, operation, contents);
    } finally {
      await store.close();
    }
    const { leaf, faults: left } = findSettled(dir);
    faults.push(...left);
    const isWanted = leaf === contents[operation.after].leaf.fingerprint256;
    if (!isWanted && (leaf !== undefined || operation.orElse !== "nothing"))
      faults.push("what is current in the end is other content");
  } catch (thrown) {
    faults.push(`start-up: ${thrown}`);
  }
  return faults.map((fault) => `${title}: ${fault}`);
}

function findReaderFaults(operation: Operation, contents: Contents, folder: string, dir: string): string[] {
  const { before, after, inEtcd, orElse } = operation;
  const found = findCurrent(dir);
  const faults = [...found.faults];
  const known = [before, after, inEtcd].flatMap((one) => (one ? [contents[one].leaf.fingerprint256] : []));
  if (found.leaf === undefined && before !== null && orElse !== "nothing") faults.push("nothing is current");
  if (found.leaf !== undefined && !known.includes(found.leaf))
    faults.push("what is current is other content");
  const own = join(folder, "service.pem");
  if (existsSync(own)) {
    const pem = readFileSync(own, "utf8");
    faults.push(...faultsOfPair(pem, pem).map((fault) => `the service's own file: ${fault}`));
  }
  return faults;
}

/** What the daemon does on the folder: the way back where a service refuses, else what etcd holds becomes live. */
async function goOn(store: FileStore, operation: Operation, contents: Contents): Promise<void> {
  const bundle = (which: keyof Contents) => bundleOf(NAME, { [NAME]: contents[which].whole });
  const { refused, orElse, after } = operation;
  const wanted = bundle(after);
  const { name } = wanted;
  const current = store.current(name);
  if (current === undefined && orElse === "nothing") return;
  const previous = store.previous(name);
  if (refused && previous && current?.digest === bundle(refused).digest)
    await store.rollBack(name, previous.id, { cause: "service", why: "it refused" });
  if (store.current(name)?.digest !== wanted.digest) await store.activate(await store.stage(wanted));
  if ((await store.audit(name)).length > 0) await store.repair(name, wanted);
  const now = store.current(name);
  if (now !== undefined && now.state !== "live") await store.recordLive(now);
  await store.prune(name);
}
