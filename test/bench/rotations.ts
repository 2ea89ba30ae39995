/** Put → hook: one put at a time, and the certificate has to be on disk, or served, when the hook arrives. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BundlePems } from "../support/pki.ts";
import type { Contender, Started } from "./contender.ts";
import type { Plan } from "./plan.ts";
import { isShown } from "./shown.ts";
import type { Stand } from "./stand.ts";
import { readStepTimes, type StepTimes } from "./step-times.ts";

/** What a contender showed. */
export interface Rotations {
  readonly contender: Contender;
  /** Milliseconds of each rotation, by round. */
  readonly rounds: readonly (readonly number[])[];
  /** Hooks that arrived before their certificate was on disk, or was served. */
  readonly early: number;
  /** Of each rotation; null for who does not tell, or lost one. */
  readonly steps: readonly StepTimes[] | null;
  /** Puts that no hook followed. */
  readonly lost: number;
  /** Hooks that nothing was put for. */
  readonly extra: number;
}

const LOST_AFTER_MS = 10_000;
/** The first puts only find out whether the contender watches yet. */
const WAKE_EVERY_MS = 1_000;
const WAKE_ATTEMPTS = 20;
const SETTLE_MS = 1_000;

/** Runs every contender side by side on the stand, and lets them rotate in turns. */
export async function measureRotations(
  stand: Stand,
  contenders: readonly Contender[],
  bundles: readonly BundlePems[],
  { warmUp, rotations, block, pauseMs }: Plan,
): Promise<Rotations[]> {
  const lanes: Lane[] = [];
  for (const contender of contenders) lanes.push(await Lane.open(stand, contender, pauseMs));
  await Promise.all(lanes.map((lane) => lane.wake(bundles.slice(-2))));
  await sleep(SETTLE_MS);
  for (const lane of lanes) {
    lane.forget();
    for (const bundle of bundles.slice(0, warmUp)) await lane.rotate(bundle);
  }
  await sleep(SETTLE_MS);
  for (let done = 0; done < rotations; done += block) {
    const turn = bundles.slice(warmUp + done, warmUp + Math.min(done + block, rotations));
    for (const lane of lanes) await lane.runRound(turn);
  }
  await sleep(SETTLE_MS);
  const results = lanes.map((lane) => lane.result());
  for (const { started } of lanes) for (const child of started.children) await child.stop();
  return results;
}

/** One contender and what is known of it. */
class Lane {
  readonly started: Started;
  readonly #stand: Stand;
  readonly #contender: Contender;
  readonly #pauseMs: number;
  readonly #rounds: number[][] = [];
  #counts = { early: 0, lost: 0, extra: 0 };
  #pending: { readonly leaf: string; readonly arrived: (atMs: number) => void } | undefined;

  private constructor(stand: Stand, contender: Contender, pauseMs: number, started: Started) {
    this.#stand = stand;
    this.#contender = contender;
    this.#pauseMs = pauseMs;
    this.started = started;
  }

  static async open(stand: Stand, contender: Contender, pauseMs: number): Promise<Lane> {
    let lane: Lane | undefined;
    const url = stand.receiver.urlFor(contender.name, async (atMs) => lane?.onHook(atMs));
    lane = new Lane(stand, contender, pauseMs, await contender.start(stand, url));
    return lane;
  }

  /** Puts until a hook comes. */
  async wake(bundles: readonly BundlePems[]): Promise<void> {
    for (let attempt = 0; attempt < WAKE_ATTEMPTS; attempt++) {
      this.#check();
      const bundle = bundles[attempt % bundles.length];
      if (bundle !== undefined && (await this.rotate(bundle, WAKE_EVERY_MS)) !== undefined) return;
    }
    throw new Error(`${this.#contender.label} sent no hook for ${WAKE_ATTEMPTS} puts`);
  }

  /** What was counted so far does not count. */
  forget(): void {
    this.#counts = { early: 0, lost: 0, extra: 0 };
  }

  /** One rotation in milliseconds, or undefined where no hook came. */
  async rotate(bundle: BundlePems, lostAfterMs = LOST_AFTER_MS): Promise<number | undefined> {
    await sleep(this.#pauseMs);
    const giveUp = new AbortController();
    const hook = new Promise<number>((arrived) => {
      this.#pending = { leaf: bundle.leaf.certificatePem, arrived };
    });
    const begin = performance.now();
    const put = this.#stand.put(this.started.key, bundle.whole);
    const waited = sleep(lostAfterMs, undefined, { signal: giveUp.signal }).catch(() => undefined);
    const [atMs] = await Promise.all([Promise.race([hook, waited]), put]);
    giveUp.abort();
    this.#pending = undefined;
    if (atMs !== undefined) return atMs - begin;
    this.#counts.lost++;
    return undefined;
  }

  async runRound(bundles: readonly BundlePems[]): Promise<void> {
    const round: number[] = [];
    for (const bundle of bundles) {
      const took = await this.rotate(bundle);
      if (took !== undefined) round.push(took);
    }
    this.#check();
    this.#rounds.push(round);
  }

  result(): Rotations {
    const { log } = this.started;
    const steps = log === null || this.#counts.lost > 0 ? null : readStepTimes(log, this.#rounds.flat());
    return { contender: this.#contender, rounds: this.#rounds, steps, ...this.#counts };
  }

  /** Looks before the hook is answered, and the next put: what comes later would be too late for a service. */
  async onHook(atMs: number): Promise<void> {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) {
      this.#counts.extra++;
      return;
    }
    if (!(await isShown(this.started, pending.leaf))) this.#counts.early++;
    pending.arrived(atMs);
  }

  #check(): void {
    for (const child of this.started.children) child.check();
  }
}
