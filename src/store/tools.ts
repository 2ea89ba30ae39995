/** What the operations of a store work with. */
import type { BundleName } from "../core/names.ts";
import type { Clock } from "../runtime/clock.ts";
import { pointedAtBy } from "./bundle-state.ts";
import type { Manifest } from "./manifest.ts";
import type { Records } from "./records.ts";
import { flipTo, type Permissions, settleFlip } from "./steps.ts";

/** Where and how files are written. */
export interface StoreOptions extends Permissions {
  readonly dir: string;
  /** Previous generations that stay. */
  readonly keep: number;
  readonly clock: Clock;
}

/** An open store. */
export interface StoreTools {
  readonly options: StoreOptions;
  readonly records: Records;
  readonly flips: Flips;
}

/** Flips of `current`. Their last step goes on in the background, while the services are told. */
export class Flips {
  readonly #records: Records;
  /** The last flip of each bundle on its way to the medium; a failure is a value, for whoever waits for it. */
  readonly #settling = new Map<BundleName, Promise<{ readonly thrown: unknown } | undefined>>();

  constructor(records: Records) {
    this.#records = records;
  }

  /** Steps 6 and 7, and step 8 in the background. Where it throws, what was current still is. */
  flip(name: BundleName, manifest: Manifest): void {
    flipTo(this.#records.at(name), manifest);
    this.#records.set(name, (state) => ({ ...state, pointedAt: manifest.generation.id }));
    this.#settle(name, manifest);
  }

  /** Waits for step 8. Where it failed, throws why, and it is tried once more. */
  async settled(name: BundleName): Promise<void> {
    const failed = await this.#settling.get(name);
    if (failed === undefined) return;
    const current = pointedAtBy(this.#records.of(name));
    if (current !== undefined) this.#settle(name, current);
    throw failed.thrown;
  }

  /** Waits until step 8 has ended, however it did. */
  async ended(name: BundleName): Promise<void> {
    await this.#settling.get(name);
  }

  forget(name: BundleName): void {
    this.#settling.delete(name);
  }

  #settle(name: BundleName, current: Manifest): void {
    const settled = settleFlip(this.#records.at(name), current).then(
      () => undefined,
      (thrown: unknown) => ({ thrown }),
    );
    this.#settling.set(name, settled);
  }
}
