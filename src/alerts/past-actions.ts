/** What alerts had done on this node, and which alerts that were: what limits are measured by. No clock of its own. */
import type { BundleName } from "../core/names.ts";

/** An action that was begun. */
interface PastAction {
  readonly bundle: BundleName;
  /** Of the monotonic clock, in milliseconds. */
  readonly atMs: number;
}

/** More than the limits of a configuration let through in the time they look back. */
const MOST_REMEMBERED = 10_000;

/** Remembers the newest ones. */
export class PastActions {
  readonly #actions: PastAction[] = [];
  /** In the order in which they came. */
  readonly #identities = new Set<string>();
  readonly #underWay = new Set<BundleName>();

  /** Whether this very alert had something done already. */
  has(identity: string): boolean {
    return this.#identities.has(identity);
  }

  isUnderWay(bundle: BundleName): boolean {
    return this.#underWay.has(bundle);
  }

  /** Actions since then: those on the bundle, or all where it is null. */
  countSince(atMs: number, bundle: BundleName | null): number {
    return this.#actions.filter((past) => past.atMs > atMs && (bundle === null || past.bundle === bundle))
      .length;
  }

  /** When the last one on the bundle was begun. */
  lastOn(bundle: BundleName): number | undefined {
    return this.#actions.findLast((past) => past.bundle === bundle)?.atMs;
  }

  begin(identity: string, bundle: BundleName, atMs: number): void {
    this.#identities.add(identity);
    this.#actions.push({ bundle, atMs });
    this.#underWay.add(bundle);
    const [oldest] = this.#identities;
    if (this.#identities.size > MOST_REMEMBERED && oldest !== undefined) this.#identities.delete(oldest);
    if (this.#actions.length > MOST_REMEMBERED) this.#actions.shift();
  }

  end(bundle: BundleName): void {
    this.#underWay.delete(bundle);
  }

  /** The alert came to nothing, and may be sent again. What was begun for it counts all the same. */
  forget(identity: string): void {
    this.#identities.delete(identity);
  }
}
