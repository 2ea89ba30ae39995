/** The output folder of this node: what is current of each bundle, and the operations that change it. */
import type { Bundle } from "../core/bundle.ts";
import type { Digest } from "../core/digest.ts";
import { KeyturnError } from "../core/errors.ts";
import type { BundlePaths, Generation, GenerationId } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import { findDrift } from "./audit.ts";
import {
  currentOf,
  findGeneration,
  historyOf,
  isNewContent,
  leavingOf,
  NOTHING_KNOWN,
  pointedAtBy,
  quarantinedOf,
  waysBackOf,
  withGeneration,
  withRollback,
} from "./bundle-state.ts";
import { toStoreFailure } from "./durable.ts";
import { HashedFiles } from "./hashed-files.ts";
import type { Finding } from "./inspect.ts";
import { filesOf, pathsOf } from "./layout.ts";
import { type FolderLock, lockFolder } from "./lock.ts";
import { type Manifest, namesOf } from "./manifest.ts";
import { type GenerationPem, readGeneration } from "./read-pem.ts";
import { Records } from "./records.ts";
import { type Recovered, recoverAll, recoverBundle } from "./recover.ts";
import { removeBundle } from "./removal.ts";
import { repairCurrent } from "./renewal.ts";
import { makeReady, type ReadyFiles, stageNew } from "./stage.ts";
import { Flips, type StoreOptions, type StoreTools } from "./tools.ts";
import { goBack, type Reason, type RolledBack } from "./way-back.ts";

/**
 * Generations of bundles. Operations on one bundle must not overlap, and on several they may; looking, and what only
 * writes a manifest (`liftQuarantine`, `recordWarned`), may be asked for at any time.
 */
export class FileStore {
  readonly #options: StoreOptions;
  readonly #tools: StoreTools;
  readonly #records: Records;
  readonly #flips: Flips;
  readonly #lock: FolderLock;
  /** Of each bundle's current generation, when it was last audited. */
  /** What bundles that are being proven will be written as; gone with the bundle. */
  readonly #ready = new WeakMap<Bundle, ReadyFiles>();
  readonly #hashed = new Map<BundleName, { readonly id: GenerationId; readonly files: HashedFiles }>();

  /** Bundles that start-up could not recover; before anything of one is written, that is tried again. */
  readonly #unrecovered: Map<BundleName, KeyturnError>;

  private constructor(options: StoreOptions, lock: FolderLock, { states, failures }: Recovered) {
    const records = new Records(options.dir, options.owner, states);
    this.#options = options;
    this.#lock = lock;
    this.#unrecovered = new Map(failures);
    this.#records = records;
    this.#flips = new Flips(records);
    this.#tools = { options, records, flips: this.#flips };
  }

  /**
   * Locks the folder, making it if need be, and recovers what is in it. See {@link unrecovered} for what cannot be.
   *
   * @throws KeyturnError STORE_LOCKED, STORE_UNSAFE, STORE_FAILED.
   */
  static async open(options: StoreOptions): Promise<FileStore> {
    const { dir, owner } = options;
    const lock = await lockFolder(dir, owner).catch((thrown) => {
      throw toStoreFailure(`use the output folder ${dir}`, thrown);
    });
    try {
      return new FileStore(options, lock, await recoverAll(dir, owner));
    } catch (thrown) {
      await lock.release();
      throw toStoreFailure(`recover the output folder ${dir}`, thrown);
    }
  }

  /**
   * Has the output folder again where it was removed, moved away or mounted over: made if need be, and locked. What was
   * in it is found missing by the next audits.
   *
   * @throws KeyturnError STORE_LOCKED where another process has it now; STORE_UNSAFE, STORE_FAILED.
   */
  async holdFolder(): Promise<void> {
    try {
      await this.#lock.follow();
    } catch (thrown) {
      throw toStoreFailure(`use the output folder ${this.#options.dir}`, thrown);
    }
  }

  /** Bundles that have a current generation. */
  names(): BundleName[] {
    return this.#records.names();
  }

  /** Bundles whose folder cannot be read as it is, and why: nothing is known of them until it can. */
  unrecovered(): ReadonlyMap<BundleName, KeyturnError> {
    return this.#unrecovered;
  }

  /** The generation that `current` points at. */
  current(name: BundleName): Generation | undefined {
    return currentOf(this.#records.of(name));
  }

  /**
   * The newest generation of other content that was live and was not rolled back; not one that {@link rollBack} found
   * damaged.
   */
  previous(name: BundleName): Generation | undefined {
    return waysBackOf(this.#records.of(name))[0]?.generation;
  }

  /** Everything that is on disk of a bundle, oldest first. */
  history(name: BundleName): Generation[] {
    return historyOf(this.#records.of(name));
  }

  /** The newest generation of this content that is in quarantine. What is current is not, nor anything where nothing is. */
  quarantined(name: BundleName, digest: Digest): Generation | undefined {
    return quarantinedOf(this.#records.of(name), digest);
  }

  /** Thresholds of expiry that were told of the current generation. */
  warned(name: BundleName): readonly string[] {
    return pointedAtBy(this.#records.of(name))?.warned ?? [];
  }

  /** The paths that services read the current generation from. */
  paths(name: BundleName): BundlePaths {
    const current = pointedAtBy(this.#records.of(name));
    return pathsOf(this.#records.at(name).folder, current === undefined ? new Set() : namesOf(current));
  }

  /**
   * What the files of the current generation hold; undefined where none is current.
   *
   * @throws KeyturnError STORE_FAILED where one of them is gone or was changed.
   */
  async read(name: BundleName): Promise<GenerationPem | undefined> {
    const current = pointedAtBy(this.#records.of(name));
    if (current === undefined) return undefined;
    return this.#doing(name, `read the files of ${name}`, async () =>
      readGeneration(this.#records.at(name), current),
    );
  }

  /**
   * Steps 1 to 5: everything of a new generation is on the medium, and nobody is pointed at it.
   *
   * @throws KeyturnError STORE_FAILED, STORE_UNSAFE; nothing that is live was touched.
   */
  async stage(bundle: Bundle): Promise<Generation> {
    const { name, digest, revision, identity } = bundle;
    const draft = { name, digest, revision, leaf: identity?.leaf ?? null, warned: [] };
    await this.#prepare(name);
    const ready = this.#ready.get(bundle) ?? makeReady(filesOf(bundle));
    const { generation } = await stageNew(this.#tools, draft, ready);
    return generation;
  }

  /** Makes ready in memory what {@link stage} will write: for a moment in which there is nothing else to do. */
  makeReady(bundle: Bundle): void {
    this.#ready.set(bundle, makeReady(filesOf(bundle)));
  }

  /** Steps 6 and 7: the generation becomes the current one. Step 8 goes on, and a fault of it is one of step 9. */
  async activate({ name, id }: Generation): Promise<Generation> {
    return this.#changing(name, `make ${id} the current generation of ${name}`, async () => {
      const manifest = this.#find(name, id);
      try {
        this.#flips.flip(name, manifest);
      } catch (thrown) {
        await this.#records.remove(name, id);
        throw thrown;
      }
      return currentOf(this.#records.of(name)) ?? manifest.generation;
    });
  }

  /**
   * Steps 9 and 13: every service knows the current generation. Every rollback is finished; where this one brings new
   * content, every quarantine is lifted.
   */
  async recordLive({ name, id }: Generation): Promise<Generation> {
    return this.#changing(name, `record generation ${id} of ${name} as live`, async () => {
      await this.#flips.settled(name);
      const lifts = isNewContent(this.#records.of(name), this.#find(name, id).generation);
      const isThere = await this.#records.change(name, id, (manifest) => this.#asLive(manifest)); // 9
      if (!isThere) {
        this.#records.forget(name, id);
        throw new KeyturnError("STORE_FAILED", `generation ${id} of ${name} is gone from disk; put it again`);
      }
      const change = lifts ? { finished: true, quarantined: false } : { finished: true };
      await this.#records.changeAll(name, (manifest) => withRollback(manifest, change)); // 13
      return this.#find(name, id).generation;
    });
  }

  /**
   * Steps 11, 12 and the flip: an earlier generation is current again, and what was current is in quarantine.
   *
   * @throws KeyturnError STORE_FAILED where the earlier one is not known or not whole; what was current still is.
   */
  async rollBack(name: BundleName, to: GenerationId, how: Reason): Promise<RolledBack> {
    return this.#changing(name, `put generation ${to} of ${name} back`, () =>
      goBack(this.#tools, name, to, how),
    );
  }

  /** Lifts every quarantine of the bundle but that of `except`. */
  async liftQuarantine(name: BundleName, except: Digest | null): Promise<void> {
    await this.#changing(name, `lift the quarantine of ${name}`, () =>
      this.#records.changeAll(name, (manifest) =>
        manifest.generation.digest === except ? manifest : withRollback(manifest, { quarantined: false }),
      ),
    );
  }

  /** Writes down which thresholds of expiry were told of the current generation, in place of those before. */
  async recordWarned(name: BundleName, thresholds: readonly string[]): Promise<void> {
    await this.#changing(name, `record what was told of the end of ${name}`, async () => {
      const { pointedAt } = this.#records.of(name);
      if (pointedAt === undefined) return;
      await this.#records.change(name, pointedAt, (manifest) => {
        const isSame = JSON.stringify(manifest.warned) === JSON.stringify(thresholds);
        return isSame ? manifest : { ...manifest, warned: [...thresholds] };
      });
    });
  }

  /**
   * Compares the current generation with its manifest, and changes nothing. Files that did not change since they were
   * hashed are not read.
   */
  async audit(name: BundleName): Promise<readonly Finding[]> {
    await this.#flips.ended(name);
    const current = pointedAtBy(this.#records.of(name));
    if (current === undefined) return [];
    return this.#doing(name, `audit ${name}`, async () => {
      const hashed = this.#hashedOf(current);
      const drifts = findDrift(this.#records.at(name), current, this.#options, hashed);
      return drifts.map(({ message, misleads }) => ({ message, misleads }));
    });
  }

  /**
   * Puts right what an audit finds, and audits again. Where the folder of the current generation is gone, its content
   * becomes a new generation, which services are to be told of: its state is `current`.
   *
   * @param bundle Used where it has the digest of the current generation.
   * @throws KeyturnError STORE_FAILED where something cannot be put right; everything else is.
   */
  async repair(name: BundleName, bundle: Bundle | null): Promise<Generation> {
    return this.#changing(name, `repair ${name}`, () => repairCurrent(this.#tools, name, bundle));
  }

  /**
   * Step 10. Beside the current one stay the one that can be gone back to, the newest that are in quarantine, and
   * `keep` others.
   */
  async prune(name: BundleName): Promise<void> {
    await this.#changing(name, `remove old generations of ${name}`, async () => {
      for (const { generation } of leavingOf(this.#records.of(name), this.#options.keep)) {
        await this.#records.remove(name, generation.id);
      }
    });
  }

  /**
   * Takes a bundle away, files and history (`onDelete: remove`).
   *
   * @returns the names of what somebody else put into its folder, and stays there.
   */
  async remove(name: BundleName): Promise<readonly string[]> {
    return this.#changing(name, `remove ${name}`, async () => {
      // First: whatever fails from here on, the bundle is no longer one that can be relied on.
      this.#records.set(name, ({ lastSequence }) => ({ ...NOTHING_KNOWN, lastSequence }));
      this.#flips.forget(name);
      this.#hashed.delete(name);
      return removeBundle(this.#records.at(name));
    });
  }

  /** Releases the folder for another process. */
  async close(): Promise<void> {
    await this.#lock.release();
  }

  #find(name: BundleName, id: GenerationId): Manifest {
    const manifest = findGeneration(this.#records.of(name), id);
    if (manifest === undefined) throw new Error(`no generation ${id} is known`);
    return manifest;
  }

  #asLive(manifest: Manifest): Manifest {
    const { generation } = manifest;
    if (generation.state === "live") return manifest;
    const changedAt = this.#options.clock.now().toISOString();
    return withGeneration(manifest, { ...generation, state: "live", changedAt, rollback: null });
  }

  #hashedOf({ generation: { name, id } }: Manifest): HashedFiles {
    const known = this.#hashed.get(name);
    if (known?.id === id) return known.files;
    const files = new HashedFiles(this.#options.clock);
    this.#hashed.set(name, { id, files });
    return files;
  }

  /** Nothing is written into a folder that is not locked, nor of a bundle of which it is not known what is there. */
  async #prepare(name: BundleName): Promise<void> {
    await this.holdFolder();
    if (!this.#unrecovered.has(name)) return;
    const found = await this.#doing(name, `recover ${name}`, () =>
      recoverBundle(this.#records.at(name), this.#options.owner),
    );
    this.#records.set(name, () => found);
    this.#unrecovered.delete(name);
  }

  async #changing<T>(name: BundleName, what: string, task: () => Promise<T>): Promise<T> {
    await this.#prepare(name);
    return this.#doing(name, what, task);
  }

  async #doing<T>(name: BundleName, what: string, task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (thrown) {
      throw toStoreFailure(what, thrown, this.#records.at(name).folder);
    }
  }
}
