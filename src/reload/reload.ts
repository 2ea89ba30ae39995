/**
 * One reload: stage, activate, notify, verify, record. Where a service refuses the new certificate or does not serve it,
 * the previous generation is put back; whatever else fails, what was live before stays on disk.
 */
import { messageOf } from "../core/errors.ts";
import type { Generation } from "../core/generation.ts";
import type { ReloadOutcome } from "../core/outcome.ts";
import { mendFirst } from "./mend.ts";
import { repair } from "./repair.ts";
import { becomeLive, type ReloadTools, type Run } from "./step.ts";
import { tellInOrder } from "./tell.ts";
import { goBackAsTold, goBackFrom, troubleOf } from "./way-back.ts";
import type { Reminder, Rotation, Work } from "./work.ts";

/** How a reload ended. */
export interface ReloadReport {
  readonly outcome: ReloadOutcome;
  /** Milliseconds of each step. */
  readonly steps: Readonly<Record<string, number>>;
  /** What is to be tried again later; null for nothing. */
  readonly again: Work | null;
  /** What was thrown, where something was: for whoever asked for this reload and waits for it. */
  readonly thrown: unknown;
}

/** Runs one reload. Never throws: an abort is the outcome `interrupted`, any other failure the outcome `failed`. */
export async function reload(work: Work, tools: ReloadTools, signal: AbortSignal): Promise<ReloadReport> {
  const steps: Record<string, number> = {};
  const timed = async <T>(step: string, task: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    const begin = tools.clock.monotonicMs();
    try {
      return await task();
    } finally {
      steps[step] = tools.clock.monotonicMs() - begin;
    }
  };
  let current: Generation | null = null;
  let again: Work | null = null;
  const run: Run = {
    timed,
    signal,
    becameCurrent: (generation) => {
      current = generation;
    },
    tryAgain: (work) => {
      again = work;
    },
  };
  try {
    const outcome = await perform(work, tools, run);
    const isDone = outcome.kind === "live" || outcome.kind === "unchanged";
    return { outcome, steps, again: isDone ? null : again, thrown: undefined };
  } catch (thrown) {
    if (signal.aborted) return { outcome: { kind: "interrupted" }, steps, again: null, thrown };
    const outcome: ReloadOutcome = { kind: "failed", generation: current, message: messageOf(thrown) };
    return { outcome, steps, again, thrown };
  }
}

function perform(work: Work, tools: ReloadTools, run: Run): Promise<ReloadOutcome> {
  switch (work.kind) {
    case "rotate":
      return rotate(work, tools, run);
    case "remind":
      return remind(work, tools, run);
    case "return":
      return goBackAsTold(work, tools, run);
    case "repair":
      return repair(work, tools, run);
  }
}

async function rotate(work: Rotation, tools: ReloadTools, run: Run): Promise<ReloadOutcome> {
  const { store, services } = tools;
  const { timed, signal } = run;
  const { name, digest } = work;
  const { told, asked } = work;
  run.tryAgain({ ...work, reason: "retried" });
  // 1. Nothing at all happens where the digest is the live one.
  const before = store.current(name);
  if (before?.digest === digest && before.state === "live") return { kind: "unchanged", generation: before };

  // 2. and 3. Write it and flip to it. Where an earlier run, perhaps before a crash, came that far: is it still there?
  let current: Generation;
  if (before?.digest === digest) {
    current = await mendFirst(before, told, tools, run);
  } else {
    const { bundle } = work;
    if (bundle === null) throw new Error(`${name} is no longer the content that was to be finished`);
    const staged = await timed("stage", () => store.stage(bundle));
    current = await timed("activate", () => store.activate(staged));
  }
  run.becameCurrent(current);

  // 4. and 5. Tell the services and look at what they serve, stage by stage.
  const notice = { generation: current, paths: store.paths(name), reason: work.reason };
  const users = services.filter((service) => service.uses(name) && !told.has(service.name));
  const telling = { services: users, notice, told, asked, lookFirst: work.reason === "retried" };
  const { failed, busy, unreachable } = await tellInOrder(telling, timed, signal);
  // 6. What a service refuses, dies over or does not serve is given up for what was there before.
  if (failed.length > 0) return goBackFrom(work, current, failed.join("; "), tools, run);
  if (busy.length > 0) return { kind: "failed", generation: current, message: busy.join("; ") };
  if (unreachable.length > 0)
    return { kind: "pending", generation: current, message: unreachable.join("; ") };
  // 7. and 8.
  return becomeLive(current, tools, run);
}

/** The current generation, to services that do not serve it. There is no way back from here: it is the way back. */
async function remind(work: Reminder, tools: ReloadTools, run: Run): Promise<ReloadOutcome> {
  const { store, services } = tools;
  const { timed, signal } = run;
  const { name, reason, told } = work;
  const before = store.current(name);
  if (before === undefined) throw new Error(`${name} has no current generation`);
  if (before.digest !== work.digest) return { kind: "unchanged", generation: before };
  if (work.insists) run.tryAgain(work);
  const current = await mendFirst(before, told, tools, run);
  const notice = { generation: current, paths: store.paths(name), reason };
  const users = services.filter((service) => service.uses(name) && !told.has(service.name));
  const telling = { services: users, notice, told, asked: null, lookFirst: true };
  const answers = await tellInOrder(telling, timed, signal);
  const trouble = troubleOf(answers);
  if (trouble !== null) return { kind: "failed", generation: current, message: trouble };
  if (answers.unreachable.length > 0) {
    // It reads what is current when it starts: nobody else would find out.
    run.tryAgain(work);
    return { kind: "pending", generation: current, message: answers.unreachable.join("; ") };
  }
  return becomeLive(current, tools, run);
}
