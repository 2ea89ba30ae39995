/**
 * A bundle on disk that is followed: the generation that is current, loaded whole, and each one after it.
 *
 *     watch, look, hook ─► load ─► prepare, all users ─► commit, all users ─► "swapped"
 *                           │              │
 *                           └──────────────┴── "refused": what was loaded before stays, everywhere
 */
import { EventEmitter } from "node:events";
import { basename } from "node:path";
import { KeyturnError, messageOf } from "../core/errors.ts";
import { repeat, systemClock } from "../runtime/clock.ts";
import type { BundleVersion } from "./bundle-version.ts";
import { loadCurrent, resolveCurrent } from "./load.ts";
import { type FolderWatch, watchFolder } from "./watch-folder.ts";

/** How a bundle is followed. */
export interface FollowOptions {
  /** Milliseconds between two looks at the folder: the safety net under the watch, which may miss things. 5,000. */
  readonly lookEveryMs?: number;
  /** Milliseconds in which a generation has to be loaded; one that takes longer is refused. 5,000. */
  readonly loadWithinMs?: number;
  /** Milliseconds to wait for a first generation that can be used. 0: it has to be there. */
  readonly firstWithinMs?: number;
  /** Ends the following, as {@link BundleSource.close} does. */
  readonly signal?: AbortSignal;
}

/** What is told of a bundle that is followed. */
export interface SourceEvents {
  /** Every user has it now. */
  swapped: [version: BundleVersion, tookMs: number];
  /** A generation could not be loaded or used. What was there before stays. Once for each reason. */
  refused: [error: KeyturnError];
}

/** Something that uses what is current, such as a server. */
export interface User {
  /**
   * Makes ready what it needs of a version, and gives what puts it in place. Where one user throws, none takes it.
   * What is given must not throw.
   */
  prepare(version: BundleVersion): () => void;
}

const DEFAULTS = { lookEveryMs: 5_000, loadWithinMs: 5_000, firstWithinMs: 0 };
/** Between two looks while nothing could be loaded yet. */
const FIRST_LOOK_EVERY_MS = 100;

/**
 * Follows a bundle: what is current is loaded when this resolves.
 *
 * @param dir The bundle's folder below `output.dir`, such as `/var/lib/keyturn/inference`.
 * @throws KeyturnError BUNDLE_ABSENT, GENERATION_REFUSED: why there is no first generation.
 */
export async function followBundle(dir: string, options: FollowOptions = {}): Promise<BundleSource> {
  const { firstWithinMs, loadWithinMs } = { ...DEFAULTS, ...options };
  const first = await loadFirst(dir, firstWithinMs, loadWithinMs, options.signal);
  return new BundleSource(dir, first, options);
}

async function loadFirst(
  dir: string,
  withinMs: number,
  loadWithinMs: number,
  signal: AbortSignal | undefined,
): Promise<BundleVersion> {
  const until = systemClock.monotonicMs() + withinMs;
  for (;;) {
    try {
      return await loadCurrent(dir, AbortSignal.timeout(loadWithinMs));
    } catch (thrown) {
      signal?.throwIfAborted();
      if (systemClock.monotonicMs() >= until) throw thrown;
      await systemClock.sleep(FIRST_LOOK_EVERY_MS, signal ?? NEVER);
    }
  }
}

const NEVER = new AbortController().signal;

/** A bundle that is followed. Made by {@link followBundle}. */
export class BundleSource extends EventEmitter<SourceEvents> implements AsyncIterable<BundleVersion> {
  /** The bundle's folder. */
  readonly dir: string;
  readonly #loadWithinMs: number;
  readonly #users = new Set<User>();
  readonly #closing = new AbortController();
  readonly #watch: FolderWatch;
  readonly #endLooking: () => void;
  #current: BundleVersion;
  /** Why the last generation was refused; empty where it was taken. */
  #refused = "";
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<BundleVersion> | undefined;

  constructor(dir: string, first: BundleVersion, options: FollowOptions) {
    super();
    const { lookEveryMs, loadWithinMs } = { ...DEFAULTS, ...options };
    this.dir = dir;
    this.#current = first;
    this.#loadWithinMs = loadWithinMs;
    const look = () => void this.#look();
    this.#watch = watchFolder(dir, look);
    this.#endLooking = repeat(lookEveryMs, () => {
      this.#watch.renew();
      look();
    });
    options.signal?.addEventListener("abort", () => this.close(), { once: true });
    if (options.signal?.aborted) this.close();
  }

  /** The name of the bundle. */
  get name(): string {
    return this.#current.bundle;
  }

  /** What is served now. */
  get current(): BundleVersion {
    return this.#current;
  }

  /**
   * Loads what is current on disk at the time of the call or later. When this resolves every user has it: a hook may be
   * answered.
   *
   * @throws KeyturnError BUNDLE_ABSENT, GENERATION_REFUSED: what was there before stays.
   */
  reload(): Promise<BundleVersion> {
    // A load that runs may have looked before the call: another one follows it, for all who ask meanwhile.
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const load = this.#load();
      this.#running = load.catch(() => undefined);
      return load;
    });
    return this.#next;
  }

  /**
   * Has a user take what is current, and everything after it.
   *
   * @returns Ends that.
   * @throws what `prepare` throws of what is current.
   */
  use(user: User): () => void {
    user.prepare(this.#current)();
    this.#users.add(user);
    return () => void this.#users.delete(user);
  }

  /** What is current, and then each newer one; those that are overtaken are left out. Ends when the source is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<BundleVersion, void, undefined> {
    let given: BundleVersion | undefined;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (given !== this.#current) {
        given = this.#current;
        yield given;
        continue;
      }
      await new Promise<void>((resolve) => {
        const go = () => {
          this.off("swapped", go);
          signal.removeEventListener("abort", go);
          resolve();
        };
        this.on("swapped", go);
        signal.addEventListener("abort", go);
      });
    }
  }

  /** Follows no longer. Whoever uses what is current goes on with it. */
  close(): void {
    this.#endLooking();
    this.#watch.close();
    this.#closing.abort();
  }

  /** Cheap: loads only where another generation is current, or the last one was refused. */
  async #look(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    try {
      const isKnown = basename(await resolveCurrent(this.dir)) === this.#current.generation;
      if (!isKnown || this.#refused !== "") await this.reload();
    } catch (thrown) {
      // Said by an event; what a listener throws is not ours to hide.
      if (thrown instanceof KeyturnError) this.#refuse(thrown);
      else throw thrown;
    }
  }

  async #load(): Promise<BundleVersion> {
    const begin = systemClock.monotonicMs();
    let version: BundleVersion;
    try {
      version = await loadCurrent(this.dir, AbortSignal.timeout(this.#loadWithinMs));
      const isKnown = version.generation === this.#current.generation;
      if (!isKnown) this.#take(version);
      this.#refused = "";
      if (isKnown) return this.#current;
    } catch (thrown) {
      throw this.#refuse(thrown);
    }
    this.emit("swapped", version, systemClock.monotonicMs() - begin);
    return version;
  }

  /** All or none, in one turn of the event loop: no handshake comes between two users. */
  #take(version: BundleVersion): void {
    const commits = [...this.#users].map((user) => user.prepare(version));
    this.#current = version;
    for (const commit of commits) commit();
  }

  #refuse(thrown: unknown): KeyturnError {
    const isOurs = thrown instanceof KeyturnError;
    const error = isOurs
      ? thrown
      : new KeyturnError("GENERATION_REFUSED", `${this.dir}: ${messageOf(thrown)}`, { cause: thrown });
    if (this.#refused !== error.message) {
      this.#refused = error.message;
      this.emit("refused", error);
    }
    return error;
  }
}
