/** A recipe tried: the real service is set up as its page says, and its certificate is turned again and again under load. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { type TestDaemon, useDaemon } from "./daemon.ts";
import type { HandshakeTarget } from "./handshakes.ts";
import { useKeyturnOnPath } from "./keyturn-on-path.ts";
import type { Recipe } from "./recipe.ts";
import { type RotationsSeen, rotateUnderLoad } from "./rotations.ts";
import type { useStand } from "./stand.ts";
import { until } from "./wait.ts";

/** Every recipe is about this bundle, and clients ask for this name. */
export const SERVER_NAME = "inference.local";
const BUNDLE = "inference";
const TIMES = 10;
const HAS_OPENSSL = spawnSync("openssl", ["version"]).status === 0;

const run = promisify(execFile);

/** What is tried. */
export interface Trial {
  readonly stand: Awaited<ReturnType<typeof useStand>>;
  readonly recipe: Recipe;
  /** Of keyturn's half, where the page has more than one. */
  readonly heading?: string | undefined;
  readonly target: HandshakeTarget;
  /** Starts the service; called when its files are there for the first time. */
  readonly start: () => Promise<unknown>;
}

/** A daemon with a service that serves its first bundle. */
export interface RunningTrial {
  /** Rotates under load; `afterEach` is called when a rotation is served. */
  rotate(afterEach: () => Promise<void>): Promise<RotationsSeen>;
}

/** Starts the daemon, puts a first bundle, starts the service, and waits until that is live. */
export async function startTrial(t: TestContext, trial: Trial): Promise<RunningTrial> {
  const { stand, recipe, heading, target, start } = trial;
  const { etcd, folder, pki } = stand;
  const settings = { etcd: stand.settings.etcd, ...recipe.settings(heading) };
  const daemon = await useDaemon(t, folder, settings);
  const put = async () => {
    const bundle = await pki.make(SERVER_NAME);
    await etcd.put(`/certs/${BUNDLE}.pem`, bundle.whole);
    return bundle.leaf.fingerprint256;
  };
  const rotateOnce = async () => {
    const fingerprint = await put();
    await until("it is live", async () => {
      const bundle = await daemon.bundle(BUNDLE);
      return bundle?.live && bundle.generation?.leaf?.fingerprint256 === fingerprint;
    });
    return fingerprint;
  };
  await put();
  await until("keyturn waits for the service", async () => {
    return (await daemon.bundle(BUNDLE))?.lastReload?.outcome === "pending";
  });
  await start();
  await daemon.untilLive(BUNDLE);
  return {
    rotate: async (afterEach) => {
      const seen = await rotateUnderLoad(target, TIMES, rotateOnce, afterEach);
      t.diagnostic(describe(seen));
      await assertAllLive(daemon);
      assert.ok(seen.leaves >= TIMES, `${seen.leaves} leaves in ${seen.handshakes} handshakes`);
      if (HAS_OPENSSL) await assertShown(t, daemon, recipe.block("sh"));
      return seen;
    },
  };
}

function describe({ handshakes, failures, leaves }: RotationsSeen): string {
  return `${TIMES} rotations, ${handshakes} handshakes, ${failures.length} failed, ${leaves} leaves served`;
}

async function assertAllLive(daemon: TestDaemon): Promise<void> {
  const reloads = (outcome: string) => daemon.metric("keyturn_reloads_total", { bundle: BUNDLE, outcome });
  const counts = await Promise.all(["live", "rolledBack", "failed"].map(reloads));
  assert.deepEqual(counts, [TIMES + 1, 0, 0], "every rotation went live, and none was given up");
}

/** The commands by which a reader is to see that it worked show what is served. */
async function assertShown(t: TestContext, daemon: TestDaemon, commands: string): Promise<void> {
  const bin = await useKeyturnOnPath(t);
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    KEYTURN_CONFIG: daemon.configFile,
    KEYTURN_ADMIN_LISTEN: new URL(daemon.adminUrl).host,
  };
  const { stdout } = await run("sh", ["-euc", commands], { env });
  const generation = (await daemon.bundle(BUNDLE))?.generation;
  assert.match(stdout, new RegExp(`^${BUNDLE} +live .* ${generation?.id} `, "m"));
  const serial = BigInt(`0x${generation?.leaf?.serial}`).toString(16).toUpperCase();
  assert.match(stdout, new RegExp(`serial=0*${serial}\\n`));
}
