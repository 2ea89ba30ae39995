/** What keyturn says of its own time: the steps in its log, rotation by rotation. */
import { readFileSync } from "node:fs";

/** One rotation, in parts that add up to put → hook. */
export interface StepTimes {
  /** Before the reload, and after its last step before the hook that is timed. */
  readonly otherMs: number;
  readonly stageMs: number;
  readonly activateMs: number;
  /** The service of stage 1: told, and looked at. */
  readonly verifiedMs: number;
}

interface Line {
  readonly event?: string;
  readonly outcome?: string;
  readonly steps?: Readonly<Record<string, number>>;
}

/** Of the last rotations in the log, of which `tookMs` are all that were measured and none was lost. */
export function readStepTimes(logFile: string, tookMs: readonly number[]): StepTimes[] {
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
  const live = lines.map((line) => JSON.parse(line) as Line).filter(isLive);
  return live.slice(-tookMs.length).map(({ steps = {} }, index) => {
    const { stage = 0, activate = 0, "notify.1": verified = 0 } = steps;
    const otherMs = (tookMs[index] ?? Number.NaN) - stage - activate - verified;
    return { otherMs, stageMs: stage, activateMs: activate, verifiedMs: verified };
  });
}

function isLive({ event, outcome }: Line): boolean {
  return event === "reload.finished" && outcome === "live";
}
