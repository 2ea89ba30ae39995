/** One act: faults one after another, while everything else goes on; after each, everything has to settle. */
import { join } from "node:path";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { CloseStack } from "../../../src/runtime/close-stack.ts";
import { useFolder } from "../../support/folder.ts";
import { type Dice, diceOf } from "../dice.ts";
import type { Act } from "./acts.ts";
import type { Draw, Fault } from "./fault.ts";
import type { Figures, Injected } from "./figures.ts";
import { type Reader, startReader } from "./reader.ts";
import { READ, type Stand, setUpStand } from "./stand.ts";

/** How an act is played. */
export interface Play {
  readonly seed: number;
  readonly forMs: number;
  readonly faults: readonly Fault[];
  /** Each fault once, at its longest; else by chance until the time is over. */
  readonly each: boolean;
  readonly say: (text: string) => void;
}

const NEVER = new AbortController().signal;
/** One in so many waits is the longest that a fault allows. */
const ONE_IN = 15;
const LEAST_MS = 50;
/** Between two faults. */
const MOST_CALM_MS = 300;

/** Plays an act from its beginning to its end. What it starts is pushed on `closes`. */
export async function playAct(act: Act, play: Play, closes: CloseStack): Promise<Figures> {
  const scope = { after: (close: () => void | Promise<void>) => closes.push(close) };
  const folder = await useFolder(scope);
  const side = await act.setUp(scope, folder);
  const stand = await setUpStand(scope, folder, side, play.seed);
  const reader = await startReader(
    scope,
    READ.map((name) => join(stand.node.outputDir, name)),
  );
  const faults = play.faults.filter(({ fits }) => fits(stand));
  const dice = diceOf(play.seed, act.title);
  const injected: Injected[] = [];
  const lost: string[] = [];
  const until = performance.now() + play.forMs;
  const inject = async (fault: Fault) => {
    const before = performance.now();
    await fault.inject(stand, drawOf(dice, play.each));
    const gone = performance.now();
    const missing = await stand.judge.settle(stand.judge.due());
    stand.writing.resume();
    const recoveryMs = performance.now() - gone;
    lost.push(...missing.map((what) => `after ${fault.name}: ${what}`));
    injected.push({ name: fault.name, recoveryMs });
    play.say(`${fault.name}: ${Math.round(gone - before)} ms, recovered in ${Math.round(recoveryMs)} ms`);
    await systemClock.sleep(dice.below(MOST_CALM_MS), NEVER);
  };
  if (play.each) for (const fault of faults) await inject(fault);
  else while (performance.now() < until) await inject(drawFault(faults, dice));
  lost.push(...(await endCalmly(stand)));
  return { ...(await countAll(stand, reader)), injected, lost };
}

/** With nothing put any more, the last content of each bundle has to be what is there. */
async function endCalmly({ writing, judge }: Stand): Promise<string[]> {
  await writing.pause();
  const missing = await judge.settle(judge.due());
  return missing.map((what) => `at the end: ${what}`);
}

async function countAll(
  { node, writing, judge }: Stand,
  reader: Reader,
): Promise<Omit<Figures, "injected" | "lost">> {
  const { combined, resolved, torn } = await reader.stop();
  const { count, rotations, absent, repeated } = judge.hooks;
  return {
    puts: writing.count(),
    rotations,
    hooks: count,
    starts: node.starts(),
    combinedReads: combined,
    resolvedReads: resolved,
    torn,
    absent,
    repeated,
    exits: node.exits,
  };
}

function drawFault(faults: readonly Fault[], dice: Dice): Fault {
  let left = dice.below(faults.reduce((sum, { weight }) => sum + weight, 0));
  const drawn = faults.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  if (drawn === undefined) throw new Error("there is no fault to draw from");
  return drawn;
}

function drawOf(dice: Dice, isLongest: boolean): Draw {
  return {
    dice,
    linger: (usualMs, longestMs = usualMs) => {
      const isLong = isLongest || dice.below(ONE_IN) === 0;
      return systemClock.sleep(isLong ? longestMs : dice.between(LEAST_MS, usualMs), NEVER);
    },
  };
}
