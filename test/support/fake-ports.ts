/** Fakes of the ports of the reload room: a store in memory, services that answer as told, a clock that is moved by hand. */
import { randomBytes } from "node:crypto";
import type { Bundle } from "../../src/core/bundle.ts";
import { type Digest, digestOf } from "../../src/core/digest.ts";
import type { BundlePaths, Generation, GenerationId } from "../../src/core/generation.ts";
import type { BundleName } from "../../src/core/names.ts";
import type { Notice, ServiceAnswer } from "../../src/core/service.ts";
import type { Service, Store } from "../../src/reload/ports.ts";
import type { Clock } from "../../src/runtime/clock.ts";

/** A bundle with a digest of its own; nobody looks into it. */
export function fakeBundle(name = "mesh"): Bundle {
  const digest = digestOf([{ role: "certificate", der: randomBytes(8) }]);
  return { name: name as BundleName, digest, revision: 1, identity: null, anchors: [], crls: [] };
}

/** A store in memory that remembers what was done, in order. */
export class FakeStore implements Store {
  readonly done: string[] = [];
  /** Fails the next call of this method, once. */
  failNext: "stage" | "activate" | "recordLive" | "prune" | "remove" | undefined;
  readonly #current = new Map<BundleName, Generation>();
  #sequence = 0;

  names(): BundleName[] {
    return [...this.#current.keys()];
  }

  current(name: BundleName): Generation | undefined {
    return this.#current.get(name);
  }

  paths(name: BundleName): BundlePaths {
    return { dir: `/bundles/${name}`, cert: null, key: null, combined: null, ca: null, crl: null };
  }

  async stage(bundle: Bundle): Promise<Generation> {
    this.#do("stage");
    return this.generation(bundle.name, bundle.digest, "staged");
  }

  async activate(generation: Generation): Promise<Generation> {
    this.#do("activate");
    const current: Generation = { ...generation, state: "current" };
    this.#current.set(generation.name, current);
    return current;
  }

  async recordLive(generation: Generation): Promise<Generation> {
    this.#do("recordLive");
    const live: Generation = { ...generation, state: "live" };
    this.#current.set(generation.name, live);
    return live;
  }

  async prune(): Promise<void> {
    this.#do("prune");
  }

  async remove(name: BundleName): Promise<void> {
    this.#do("remove");
    this.#current.delete(name);
  }

  /** Makes something current without any step. */
  set(bundle: Bundle, state: "current" | "live"): void {
    this.#current.set(bundle.name, this.generation(bundle.name, bundle.digest, state));
  }

  generation(name: BundleName, digest: Digest, state: Generation["state"]): Generation {
    const id = `${String(++this.#sequence).padStart(6, "0")}-00000000` as GenerationId;
    const now = new Date(0).toISOString();
    return {
      name,
      id,
      digest,
      revision: 1,
      state,
      stagedAt: now,
      changedAt: now,
      leaf: null,
      rollback: null,
    };
  }

  #do(step: NonNullable<FakeStore["failNext"]>): void {
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
