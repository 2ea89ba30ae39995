/** `npm run bench`: measures the keyturn in dist/, prints the page, and fails where a promise was broken. */
import type { CloseStack } from "../../src/runtime/close-stack.ts";
import { type BundlePems, createBundleMaker } from "../support/pki.ts";
import { runProgram, sayAs } from "../support/program.ts";
import { keepPart } from "./book.ts";
import { CONTENDERS } from "./contenders.ts";
import { measureFleet } from "./fleet.ts";
import { describeMachine, loadNow, today } from "./machine.ts";
import { pageOf } from "./page.ts";
import { type Plan, planOf, USAGE } from "./plan.ts";
import { faultsOf } from "./report.ts";
import { measureRotations } from "./rotations.ts";
import { buildStand } from "./stand.ts";

const NAME = "bench";
/** Two more than are rotated: those that wake a contender. */
const WAKING = 2;

const say = sayAs(NAME);

async function makeBundles(count: number): Promise<BundlePems[]> {
  const maker = await createBundleMaker();
  const bundles: BundlePems[] = [];
  for (let made = 0; made < count; made++) bundles.push(await maker.make());
  return bundles;
}

/** Measures everything and returns the faults. */
async function measure(plan: Plan, closes: CloseStack): Promise<string[]> {
  const load = loadNow();
  const date = today();
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
  const machine = describeMachine(load, stand.etcd.etcd);
  const page = pageOf({ plan, contenders: CONTENDERS, rotations, fleet, machine, date });
  console.log(page);
  const faults = faultsOf(rotations, fleet, plan);
  if (plan.write && faults.length === 0) keepPart("npm run bench", page);
  return faults;
}

await runProgram({ name: NAME, usage: USAGE, optionsOf: planOf, run: measure });
