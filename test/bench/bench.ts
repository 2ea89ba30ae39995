/** `npm run bench`: measures the keyturn in dist/, prints the page, and fails where a promise was broken. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../src/core/errors.ts";
import { CloseStack } from "../../src/runtime/close-stack.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";
import { CONTENDERS } from "./contenders.ts";
import { measureFleet } from "./fleet.ts";
import { describeMachine, loadNow } from "./machine.ts";
import { pageOf } from "./page.ts";
import { type Plan, planOf, USAGE } from "./plan.ts";
import { faultsOf } from "./report.ts";
import { measureRotations } from "./rotations.ts";
import { buildStand } from "./stand.ts";

const PAGE = fileURLToPath(new URL("../../BENCHMARKS.md", import.meta.url));
/** Two more than are rotated: those that wake a contender. */
const WAKING = 2;

async function makeBundles(count: number): Promise<BundlePems[]> {
  const maker = await createBundleMaker();
  const bundles: BundlePems[] = [];
  for (let made = 0; made < count; made++) bundles.push(await maker.make());
  return bundles;
}

/** Measures everything and returns the faults. */
async function measure(plan: Plan, closes: CloseStack): Promise<string[]> {
  const load = loadNow();
  const date = new Date().toISOString().slice(0, 10);
  say("making the bundles");
  const toRotate = await makeBundles(plan.warmUp + plan.rotations + WAKING);
  const toSync = await makeBundles(plan.bundles);
  const stand = await buildStand(closes);
  for (const { label, missing } of CONTENDERS) {
    if (missing !== undefined) say(`${label}: not measured, ${missing}`);
  }
  const present = CONTENDERS.filter(({ missing }) => missing === undefined);
  say(`${plan.rotations} rotations each of ${present.map(({ label }) => label).join(", ")}`);
  const rotations = await measureRotations(stand, present, toRotate, plan);
  say(`${plan.bundles} bundles at once`);
  const fleet = await measureFleet(stand, toSync, plan);
  const machine = describeMachine(stand.etcd.etcd, load);
  const page = pageOf({ plan, contenders: CONTENDERS, rotations, fleet, machine, date });
  console.log(page);
  const faults = faultsOf(rotations, fleet, plan);
  if (plan.write && faults.length === 0) writeFileSync(PAGE, page);
  return faults;
}

function say(text: string): void {
  console.error(`bench: ${text}`);
}

function readPlan(): Plan | undefined {
  try {
    return planOf(process.argv.slice(2));
  } catch (thrown) {
    say(`${messageOf(thrown)}\nusage: ${USAGE}`);
    return undefined;
  }
}

async function main(): Promise<number> {
  const plan = readPlan();
  if (plan === undefined) return 2;
  const closes = new CloseStack();
  const interrupted = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  try {
    const faults = await Promise.race([measure(plan, closes), interrupted.then(() => ["interrupted"])]);
    for (const fault of faults) say(`FAULT: ${fault}`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await closes.close();
  }
}

process.exit(await main());
