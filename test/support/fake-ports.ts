/** Fakes of the ports of the reload room: a store in memory, services that answer as told, a clock that is moved by hand. */
import { randomBytes } from "node:crypto";
import type { Bundle } from "../../src/core/bundle.ts";
import { type Digest, digestOf } from "../../src/core/digest.ts";
import type { BundlePaths, Generation, GenerationId, RollbackCause } from "../../src/core/generation.ts";
import type { BundleName } from "../../src/core/names.ts";
import type { Notice, ServiceAnswer } from "../../src/core/service.ts";
import type { Finding, Service, Store, Upkeep } from "../../src/reload/ports.ts";
import type { Clock } from "../../src/runtime/clock.ts";

/** A bundle with a digest of its own; nobody looks into it. */
export function fakeBundle(name = "mesh"): Bundle {
  const digest = digestOf([{ role: "certificate", der: randomBytes(8) }]);
  return { name: name as BundleName, digest, revision: 1, identity: null, anchors: [], crls: [] };
}

/** A step of the store that changes something. */
type StoreStep = "stage" | "activate" | "recordLive" | "rollBack" | "repair" | "prune" | "remove";

/** A store in memory that remembers what was done, in order. */
export class FakeStore implements Store, Upkeep {
  readonly done: string[] = [];
  /** Fails the next call of this method, once. */
  failNext: StoreStep | undefined;
  /** What stays in the folder of a bundle that is removed. */
  foreign: readonly string[] = [];
  /** What the next audits find; empty after a repair. */
  findings: Finding[] = [];
  readonly #current = new Map<BundleName, GenerationId>();
  #generations: Generation[] = [];
  #sequence = 0;

  names(): BundleName[] {
    return [...this.#current.keys()];
  }

  current(name: BundleName): Generation | undefined {
    const id = this.#current.get(name);
    const found = this.#generations.find((one) => one.id === id);
    const isPutBack = this.#generations.some(
      ({ rollback }) => rollback !== null && rollback.to === id && !rollback.finished,
    );
    const state = found?.state === "live" && !isPutBack ? "live" : "current";
    return found && { ...found, state };
  }

  previous(name: BundleName): Generation | undefined {
    const id = this.#current.get(name);
    return this.history(name).findLast((one) => one.state === "live" && one.id !== id);
  }

  history(name: BundleName): Generation[] {
    return this.#generations.filter((one) => one.name === name);
  }

  quarantined(name: BundleName, digest: Digest): Generation | undefined {
    return this.history(name).find((one) => one.digest === digest && one.rollback?.quarantined);
  }

  paths(name: BundleName): BundlePaths {
    return { dir: `/bundles/${name}`, cert: null, key: null, combined: null, ca: null, crl: null };
  }

  async stage(bundle: Bundle): Promise<Generation> {
    this.#do("stage");
    return this.generation(bundle.name, bundle.digest, "staged");
  }

  async activate({ name, id }: Generation): Promise<Generation> {
    this.#do("activate");
    this.#current.set(name, id);
    return this.#currentOf(name);
  }

  async recordLive({ name, id }: Generation): Promise<Generation> {
    this.#do("recordLive");
    this.#change((one) => {
      const { rollback } = one;
      if (one.id === id) return { ...one, state: "live" };
      if (one.name !== name || rollback === null) return one;
      const quarantined = rollback.quarantined && rollback.to === id;
      return { ...one, rollback: { ...rollback, quarantined, finished: true } };
    });
    return this.#currentOf(name);
  }

  async rollBack(
    name: BundleName,
    to: GenerationId,
    how: { readonly cause: RollbackCause; readonly why: string },
  ): Promise<{ from: Generation; current: Generation }> {
    this.#do("rollBack");
    const { id } = this.#currentOf(name);
    const rollback = { ...how, to, at: new Date(0).toISOString(), quarantined: true, finished: false };
    this.#change((one) => (one.id === id ? { ...one, state: "rolledBack", rollback } : one));
    this.#current.set(name, to);
    const from = this.#generations.find((one) => one.id === id);
    if (from === undefined) throw new Error("the current generation is gone");
    return { from, current: this.#currentOf(name) };
  }

  async liftQuarantine(name: BundleName, except: Digest | null): Promise<void> {
    this.#change((one) => {
      if (one.name !== name || one.rollback === null || one.digest === except) return one;
      return { ...one, rollback: { ...one.rollback, quarantined: false } };
    });
  }

  async holdFolder(): Promise<void> {
    // It is in memory, and cannot be removed.
  }

  async audit(): Promise<Finding[]> {
    return this.findings;
  }

  async repair(name: BundleName): Promise<Generation> {
    this.#do("repair");
    this.findings = [];
    return this.#currentOf(name);
  }

  async prune(): Promise<void> {
    this.#do("prune");
  }

  async remove(name: BundleName): Promise<readonly string[]> {
    this.#do("remove");
    this.#current.delete(name);
    return this.foreign;
  }

  /** Makes something current without any step. */
  set(bundle: Bundle, state: "current" | "live"): Generation {
    const { name, id } = this.generation(bundle.name, bundle.digest, state === "live" ? "live" : "staged");
    this.#current.set(name, id);
    return this.#currentOf(name);
  }

  generation(name: BundleName, digest: Digest, state: Generation["state"]): Generation {
    const id = `${String(++this.#sequence).padStart(6, "0")}-00000000` as GenerationId;
    const now = new Date(0).toISOString();
    const times = { stagedAt: now, changedAt: now };
    const made: Generation = { name, id, digest, revision: 1, state, ...times, leaf: null, rollback: null };
    this.#generations.push(made);
    return made;
  }

  #currentOf(name: BundleName): Generation {
    const current = this.current(name);
    if (current === undefined) throw new Error(`${name} has no current generation`);
    return current;
  }

  #change(change: (one: Generation) => Generation): void {
    this.#generations = this.#generations.map(change);
  }

  #do(step: StoreStep): void {
    if (this.failNext === step) {
      this.failNext = undefined;
      throw new Error(`cannot ${step}: the disk is full`);
    }
    this.done.push(step);
  }
}

/** A service that takes notices; `answer` says what becomes of each. */
export function fakeService(
  name: string,
  answer: (notice: Notice, signal: AbortSignal) => ServiceAnswer | Promise<ServiceAnswer> = () => ({
    kind: "done",
  }),
  stage = 1,
): Service & { readonly notices: Notice[] } {
  const notices: Notice[] = [];
  return {
    name,
    stage,
    notices,
    uses: () => true,
    notify: async (notice, signal) => {
      notices.push(notice);
      return answer(notice, signal);
    },
    verify: null,
    serves: null,
  };
}

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #now = 0;
  #sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  now(): Date {
    return new Date(this.#now);
  }

  monotonicMs(): number {
    return this.#now;
  }

  /** How many wait. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { until: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      const abort = () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        reject(signal.reason);
      };
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Moves time on, and wakes whoever waited for less. */
  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#now);
    for (const { wake } of due) wake();
  }
}

/** A promise that the test settles. */
export function gate<T>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
