/** The output folder of this node: what is current of each bundle, and the operations that change it. */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Bundle } from "../core/bundle.ts";
import type { BundlePaths, Generation } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import type { Clock } from "../runtime/clock.ts";
import { ensureFolder, syncFolder, toStoreFailure } from "./durable.ts";
import { type BundleFolder, filesOf, folderOf, generationId, LEAVING, pathsOf } from "./layout.ts";
import { type FolderLock, lockFolder } from "./lock.ts";
import { describeFiles, type Manifest } from "./manifest.ts";
import { type RecoveredBundle, recoverAll } from "./recover.ts";
import {
  flipTo,
  folderMode,
  type Permissions,
  removeFolder,
  removeGeneration,
  rewriteManifest,
  settleFlip,
  writeGeneration,
} from "./steps.ts";

/** Where and how files are written. */
export interface StoreOptions extends Permissions {
  readonly dir: string;
  /** Previous generations that stay. */
  readonly keep: number;
  readonly clock: Clock;
}

/** Generations of bundles. Operations on one bundle must not overlap; on several they may. */
export class FileStore {
  readonly #options: StoreOptions;
  readonly #lock: FolderLock;
  readonly #bundles: Map<BundleName, RecoveredBundle>;
  /** The last flip of each bundle on its way to the medium; a failure is a value, for whoever waits for it. */
  readonly #settling = new Map<BundleName, Promise<{ readonly thrown: unknown } | undefined>>();

  private constructor(options: StoreOptions, lock: FolderLock, bundles: Map<BundleName, RecoveredBundle>) {
    this.#options = options;
    this.#lock = lock;
    this.#bundles = bundles;
  }

  /**
   * Locks the folder, making it if need be, and recovers what is in it.
   *
   * @throws KeyturnError STORE_LOCKED, STORE_UNSAFE, STORE_FAILED.
   */
  static async open(options: StoreOptions): Promise<FileStore> {
    const { dir, owner } = options;
    try {
      await mkdir(dirname(dir), { recursive: true });
      await ensureFolder(dir, folderMode(owner), owner);
    } catch (thrown) {
      throw toStoreFailure(`use the output folder ${dir}`, thrown);
    }
    const lock = await lockFolder(dir).catch((thrown) => {
      throw toStoreFailure(`lock the output folder ${dir}`, thrown);
    });
    try {
      return new FileStore(options, lock, await recoverAll(dir));
    } catch (thrown) {
      await lock.release();
      throw toStoreFailure(`recover the output folder ${dir}`, thrown);
    }
  }

  /** Bundles that have a current generation. */
  names(): BundleName[] {
    return [...this.#bundles].filter(([, { current }]) => current !== undefined).map(([name]) => name);
  }

  /** The generation that `current` points at. */
  current(name: BundleName): Generation | undefined {
    return this.#bundles.get(name)?.current?.generation;
  }

  /** The paths that services read the current generation from. */
  paths(name: BundleName): BundlePaths {
    const files = this.#bundles.get(name)?.current?.files ?? {};
    return pathsOf(this.#at(name).folder, new Set(Object.keys(files)));
  }

  /**
   * Steps 1 to 5: everything of a new generation is on the medium, and nobody is pointed at it.
   *
   * @throws KeyturnError STORE_FAILED, STORE_UNSAFE; nothing that is live was touched.
   */
  async stage(bundle: Bundle): Promise<Generation> {
    const { name, digest, revision, identity } = bundle;
    const known = this.#known(name);
    const sequence = known.lastSequence + 1;
    const id = generationId(sequence, digest);
    const now = this.#options.clock.now().toISOString();
    const leaf = identity?.leaf ?? null;
    const generation: Generation = {
      name,
      id,
      digest,
      revision,
      state: "staged",
      stagedAt: now,
      changedAt: now,
      leaf,
      rollback: null,
    };
    const files = filesOf(bundle);
    const manifest: Manifest = { generation, files: describeFiles(files) };
    await this.#doing(`write generation ${id} of ${name}`, () =>
      writeGeneration(this.#at(name), manifest, files, this.#options),
    );
    const generations = [...known.generations, manifest];
    this.#bundles.set(name, { current: known.current, generations, lastSequence: sequence });
    return generation;
  }

  /** Steps 6 and 7: the generation becomes the current one. Step 8 goes on, and a fault of it is one of step 9. */
  async activate({ name, id }: Generation): Promise<Generation> {
    const bundle = this.#known(name);
    const manifest = findManifest(bundle, id);
    try {
      flipTo(this.#at(name), manifest);
    } catch (thrown) {
      await this.#forget(name, manifest);
      throw toStoreFailure(`make ${id} the current generation of ${name}`, thrown);
    }
    const generation: Generation = { ...manifest.generation, state: "current" };
    const current: Manifest = { ...manifest, generation };
    this.#bundles.set(name, { ...bundle, current });
    this.#settle(name, current);
    return generation;
  }

  /** Step 9: every service knows the current generation. */
  async recordLive({ name, id }: Generation): Promise<Generation> {
    const bundle = this.#known(name);
    const { files, generation } = findManifest(bundle, id);
    const changedAt = this.#options.clock.now().toISOString();
    const live: Manifest = { files, generation: { ...generation, state: "live", changedAt } };
    await this.#doing(`record generation ${id} of ${name} as live`, async () => {
      const failed = await this.#settling.get(name);
      if (failed !== undefined) {
        this.#settle(name, live);
        throw failed.thrown;
      }
      await rewriteManifest(this.#at(name), live, this.#options.owner);
    });
    const generations = bundle.generations.map((known) => (known.generation.id === id ? live : known));
    this.#bundles.set(name, { ...bundle, generations, current: live });
    return live.generation;
  }

  /** Step 10. The newest generation that was live stays beside the current one, whatever came after it. */
  async prune(name: BundleName): Promise<void> {
    const bundle = this.#known(name);
    const others = bundle.generations.filter(
      ({ generation }) => generation.id !== bundle.current?.generation.id,
    );
    const lastLive = others.findLast(({ generation }) => generation.state === "live");
    const leaving = others.slice(0, Math.max(0, others.length - this.#options.keep));
    const gone = leaving.filter((manifest) => manifest !== lastLive);
    await this.#doing(`remove old generations of ${name}`, async () => {
      for (const manifest of gone) await this.#forget(name, manifest);
    });
  }

  /** Takes a bundle away, files and history (`onDelete: remove`). */
  async remove(name: BundleName): Promise<void> {
    await this.#doing(`remove ${name}`, async () => {
      const { dir } = this.#options;
      // First: whatever fails from here on, the bundle is no longer one that can be relied on.
      const { lastSequence } = this.#known(name);
      this.#bundles.set(name, { generations: [], current: undefined, lastSequence });
      this.#settling.delete(name);
      await removeFolder(this.#at(name).folder, join(dir, LEAVING + name));
      await syncFolder(dir);
    });
  }

  /** Releases the folder for another process. */
  async close(): Promise<void> {
    await this.#lock.release();
  }

  #at(name: BundleName): BundleFolder {
    return folderOf(this.#options.dir, name);
  }

  #known(name: BundleName): RecoveredBundle {
    return this.#bundles.get(name) ?? { generations: [], current: undefined, lastSequence: 0 };
  }

  /** Step 8, in the background. */
  #settle(name: BundleName, current: Manifest): void {
    const settled = settleFlip(this.#at(name), current).then(
      () => undefined,
      (thrown: unknown) => ({ thrown }),
    );
    this.#settling.set(name, settled);
  }

  /** Removes a generation from disk, then from memory. */
  async #forget(name: BundleName, manifest: Manifest): Promise<void> {
    await removeGeneration(this.#at(name), manifest.generation.id);
    const bundle = this.#known(name);
    const generations = bundle.generations.filter((known) => known !== manifest);
    this.#bundles.set(name, { ...bundle, generations });
  }

  async #doing(what: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (thrown) {
      throw toStoreFailure(what, thrown);
    }
  }
}

function findManifest({ generations }: RecoveredBundle, id: string): Manifest {
  const manifest = generations.find(({ generation }) => generation.id === id);
  if (manifest === undefined) throw new Error(`no generation ${id} is known`);
  return manifest;
}
