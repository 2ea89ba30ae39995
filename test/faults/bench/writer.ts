/** Writes to every bundle all the time, one content after another, and keeps what etcd acknowledged. */
import { setMaxListeners } from "node:events";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { Scope } from "../../support/scope.ts";
import { until } from "../../support/wait.ts";
import { type Dice, diceOf } from "../dice.ts";
import { type Content, markOf } from "./content.ts";
import type { EtcdWriter } from "./etcd-writer.ts";
import type { Line } from "./line.ts";

/** Writing that goes on. */
export interface Writing {
  readonly lines: readonly Line[];
  /** Transactions that etcd acknowledged. */
  readonly count: () => number;
  /** Ends after the transactions under way; each is acknowledged first. */
  pause(): Promise<void>;
  resume(): void;
  /** Puts the last content of every bundle once more, as after a restore. */
  repeatAll(signal: AbortSignal): Promise<void>;
  /** Takes what etcd has now for the truth, as after it was restored. */
  adopt(signal: AbortSignal): Promise<void>;
}

/** Longest pause between two contents of one bundle. */
const MOST_PAUSE_MS = 350;
/** What a turn brings, in shares of all; the rest is a new good content. */
const [REPLAY, EARLIER, BAD, GONE] = [0.06, 0.04, 0.07, 0.02];

/** Starts to write; ends when the run is over. */
export function startWriting(scope: Scope, lines: readonly Line[], etcd: EtcdWriter, seed: number): Writing {
  const stopping = new AbortController();
  const { signal } = stopping;
  // Every bundle's writer listens; Node would take more than ten for a leak.
  setMaxListeners(0, signal);
  let [count, isPaused, isUnderWay] = [0, false, 0];
  const put = async (line: Line, content: Content, until: AbortSignal) => {
    if (!(await etcd.put(line.maker.keys, content, until))) return;
    count++;
    line.note(content);
  };
  const workers = lines.map(async (line) => {
    const dice = diceOf(seed, line.maker.name);
    while (!signal.aborted) {
      await systemClock.sleep(dice.below(MOST_PAUSE_MS), signal).catch(() => undefined);
      if (isPaused || signal.aborted) continue;
      isUnderWay++;
      await put(line, nextOf(line, dice), signal);
      isUnderWay--;
    }
  });
  scope.after(async () => {
    stopping.abort();
    await Promise.all(workers);
  });
  return {
    lines,
    count: () => count,
    pause: async () => {
      isPaused = true;
      await until("nothing is being written", () => isUnderWay === 0, 120_000);
    },
    resume: () => {
      isPaused = false;
    },
    repeatAll: async (until) => {
      for (const line of lines) if (line.last !== undefined) await put(line, line.last, until);
    },
    adopt: async (until) => {
      for (const line of lines) line.note(contentOf(line, await etcd.read(line.maker.keys, until)));
    },
  };
}

/** The content that these values are, which was put before. */
function contentOf({ maker, first }: Line, values: ReadonlyMap<string, string>): Content {
  const mark = markOf(maker.name, values.get(maker.keys[0]) ?? "") ?? "";
  return { fate: first(mark)?.fate ?? "gone", mark, values };
}

/** Never two bad contents in a row, nor two deletions: each must be seen apart from the one before. */
function nextOf({ maker, last, good }: Line, dice: Dice): Content {
  if (last === undefined || last.fate !== "good") return maker.good();
  const [oldest] = good;
  const drawn = dice.below(1_000) / 1_000;
  if (drawn < REPLAY) return last;
  if (drawn < REPLAY + EARLIER && oldest !== undefined) return oldest;
  if (drawn < REPLAY + EARLIER + BAD) return maker.bad?.(dice) ?? maker.good();
  if (drawn < REPLAY + EARLIER + BAD + GONE) return maker.gone();
  return maker.good();
}
