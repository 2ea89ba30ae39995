/**
 * `npm run soak`: months of rotations in minutes. Several bundles are turned side by side as fast as the daemon takes
 * them, with replays, rejected content, ways back, and bundles that come and go; fails where the daemon keeps memory,
 * file descriptors or child processes, where a service serves other than it should, or is told once too often.
 */
import type { CloseStack } from "../../../src/runtime/close-stack.ts";
import { runProgram, sayAs } from "../../support/program.ts";
import { footprintOf, quietFootprintOf } from "./footprint.ts";
import { GUEST } from "./lane.ts";
import { type Plan, planOf, USAGE, WARM_UP } from "./plan.ts";
import { doneOf, growthOf, type Sample, tableOf } from "./report.ts";
import { buildStand, type Stand } from "./stand.ts";

const NAME = "soak";
const SAMPLE_EVERY = 1_000;

const say = sayAs(NAME);

/** Makes the soak and returns the faults. */
async function soak({ rotations, seed }: Plan, closes: CloseStack): Promise<string[]> {
  say(`${rotations} rotations on Node ${process.version}, seed ${seed}`);
  const stand = await buildStand(seed, closes);
  const { node, lanes } = stand;
  const samples: Sample[] = [];
  const begin = performance.now();
  const sample = (isQuiet: boolean, footprint = footprintOf(node.pid)) => {
    const seconds = (performance.now() - begin) / 1_000;
    samples.push({ rotations: madeBy(stand), seconds, isQuiet, footprint });
    return footprint;
  };
  const onRotation = () => {
    const last = samples.at(-1)?.rotations ?? 0;
    if (madeBy(stand) - last >= SAMPLE_EVERY) sample(false);
  };
  await stand.rotate(WARM_UP, onRotation);
  const before = sample(true, await quietFootprintOf(node.pid));
  await stand.rotate(rotations - WARM_UP, onRotation);
  const after = sample(true, await quietFootprintOf(node.pid));
  console.log(`${tableOf(samples)}\n${doneOf(lanes.map(({ tally }) => tally))}`);
  const metrics = await (await fetch(`${node.adminUrl}/metrics`)).text();
  const exitCode = await node.stop();
  return [
    ...growthOf(before, after),
    ...node.faults,
    ...(metrics.includes(GUEST) ? ["metrics still have series of bundles that are gone"] : []),
    ...lanes.flatMap(({ surplusHooks }, index) =>
      surplusHooks === 0 ? [] : [`service ${index} was sent ${surplusHooks} hooks too many`],
    ),
    ...(exitCode === 0 ? [] : [`the daemon ended with ${exitCode}`]),
  ];
}

function madeBy({ lanes }: Stand): number {
  return lanes.reduce((sum, { tally }) => sum + tally.rotations, 0);
}

await runProgram({ name: NAME, usage: USAGE, optionsOf: planOf, run: soak });
