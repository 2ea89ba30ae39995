/** What is known of every bundle: the same as its manifests say on disk, also where writing one of them failed. */
import { KeyturnError } from "../core/errors.ts";
import type { GenerationId } from "../core/generation.ts";
import type { BundleName } from "../core/names.ts";
import {
  type BundleState,
  currentOf,
  findGeneration,
  NOTHING_KNOWN,
  withManifest,
  withoutGeneration,
} from "./bundle-state.ts";
import type { Owner } from "./durable.ts";
import { lookAt } from "./inspect.ts";
import { type BundleFolder, folderOf } from "./layout.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { removeGeneration, rewriteManifest } from "./steps.ts";

/** The bundles of one output folder. */
export class Records {
  readonly #dir: string;
  readonly #owner: Owner;
  readonly #states: Map<BundleName, BundleState>;
  /** The last write to a manifest of each bundle; settled whether it worked or not. */
  readonly #turns = new Map<BundleName, Promise<unknown>>();

  constructor(dir: string, owner: Owner, states: ReadonlyMap<BundleName, BundleState>) {
    this.#dir = dir;
    this.#owner = owner;
    this.#states = new Map(states);
  }

  at(name: BundleName): BundleFolder {
    return folderOf(this.#dir, name);
  }

  /** Bundles that have a current generation. */
  names(): BundleName[] {
    return [...this.#states].filter(([, state]) => currentOf(state) !== undefined).map(([name]) => name);
  }

  of(name: BundleName): BundleState {
    return this.#states.get(name) ?? NOTHING_KNOWN;
  }

  /** Takes in what was done on disk. */
  set(name: BundleName, change: (state: BundleState) => BundleState): void {
    this.#states.set(name, change(this.of(name)));
  }

  /**
   * Writes a manifest anew, durably, unless nothing of it changes. Whoever asks at the same time has to wait: each
   * change is made to what the one before it left.
   *
   * @returns false where the generation is gone from disk.
   */
  change(name: BundleName, id: GenerationId, change: (manifest: Manifest) => Manifest): Promise<boolean> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const writing = before.then(() => this.#change(name, id, change));
    this.#turns.set(name, Promise.allSettled([writing]));
    return writing;
  }

  /** Changes every manifest of a bundle that the change makes different. One that is gone from disk is forgotten. */
  async changeAll(name: BundleName, change: (manifest: Manifest) => Manifest): Promise<void> {
    for (const { generation } of this.of(name).generations) {
      const isThere = await this.change(name, generation.id, change);
      if (!isThere) this.forget(name, generation.id);
    }
  }

  forget(name: BundleName, id: GenerationId): void {
    this.set(name, (state) => withoutGeneration(state, id));
  }

  /** Removes a generation from disk, then from memory. */
  async remove(name: BundleName, id: GenerationId): Promise<void> {
    await removeGeneration(this.at(name), id);
    this.forget(name, id);
  }

  async #change(
    name: BundleName,
    id: GenerationId,
    change: (manifest: Manifest) => Manifest,
  ): Promise<boolean> {
    const known = findGeneration(this.of(name), id);
    if (known === undefined) return false;
    const changed = change(known);
    if (changed === known) return true;
    const folder = this.at(name).generation(id);
    try {
      await rewriteManifest(this.at(name), changed, this.#owner);
    } catch (thrown) {
      // Not where a link was refused: it leads to who knows what, and nothing is known to be gone.
      if (!(thrown instanceof KeyturnError) && lookAt(folder) === undefined) return false;
      // It may have come as far as the rename: what the next start would find is what is known.
      const found = readManifest(this.at(name), id);
      if (found !== undefined) this.set(name, (state) => withManifest(state, found));
      throw thrown;
    }
    this.set(name, (state) => withManifest(state, changed));
    return true;
  }
}
