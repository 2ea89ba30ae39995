/**
 * `npm run faults`: faults of every kind, injected into a real etcd, a real node and real services while contents are
 * put all the time; what is promised is counted from outside. Exit 0 where every promise was kept, 1 where not.
 */
import type { CloseStack } from "../../src/runtime/close-stack.ts";
import { runProgram, sayAs } from "../support/program.ts";
import { playAct } from "./bench/act.ts";
import { ACTS } from "./bench/acts.ts";
import { type Figures, faultsOf, sumOf } from "./bench/figures.ts";
import { countTable, recoveryTable, verdictOf } from "./bench/report.ts";
import { FAULTS } from "./kinds/all.ts";
import { type Options, optionsOf, USAGE } from "./options.ts";

const NAME = "faults";
const MINUTE_MS = 60_000;

const say = sayAs(NAME);

async function playAll({ seed, minutes, only, each }: Options, closes: CloseStack): Promise<Figures> {
  const faults = FAULTS.filter(({ group }) => only.includes(group));
  const figures: Figures[] = [];
  for (const act of ACTS) {
    say(act.title);
    const play = { seed, faults, each, forMs: minutes * MINUTE_MS * act.share, say };
    figures.push(await playAct(act, play, closes));
    await closes.close();
  }
  return sumOf(figures);
}

async function injectAll(options: Options, closes: CloseStack): Promise<string[]> {
  say(`seed ${options.seed}`);
  const figures = await playAll(options, closes);
  console.log(`${countTable(figures)}\n\n${recoveryTable(figures.injected)}\n`);
  console.log(`${verdictOf(figures)} (seed ${options.seed})`);
  return faultsOf(figures);
}

await runProgram({ name: NAME, usage: USAGE, optionsOf, run: injectAll });
