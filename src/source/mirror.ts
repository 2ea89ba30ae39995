/** The prefix as this node knows it: applies listings and events in order, and says what changed. Pure state. */
import type { IEvent } from "etcd3";
import type { Entry, ResyncReason } from "../core/snapshot.ts";
import { type IsUsed, type Listing, type StoreHead, toEntry } from "./list.ts";

/** Content of the prefix, and the revision to go on from. */
export class Mirror {
  readonly #entries = new Map<string, Entry>();
  readonly #isUsed: IsUsed;
  #clusterId: string | undefined;
  /** First revision not yet applied. Never taken from a response header: the backlog may still be on its way. */
  #next = 0;

  constructor(isUsed: IsUsed) {
    this.#isUsed = isUsed;
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }

  get next(): number {
    return this.#next;
  }

  /** Last revision that was applied. */
  get revision(): number {
    return this.#next - 1;
  }

  /** Why the watch cannot simply go on against this store, if so. */
  reasonToList({ clusterId, revision }: StoreHead): ResyncReason | undefined {
    if (this.#clusterId === undefined) return "start";
    // A watch that starts in the future of a wiped or restored store is silent, with no error.
    if (this.#clusterId !== clusterId || revision < this.revision) return "replaced";
    return undefined;
  }

  /** Makes the content equal to the listing. Returns the keys that differ, deleted ones too. */
  applyListing({ head, entries }: Listing): Set<string> {
    const changed = new Set(this.#entries.keys());
    for (const entry of entries) {
      if (isSame(this.#entries.get(entry.key), entry)) changed.delete(entry.key);
      else changed.add(entry.key);
    }
    this.#entries.clear();
    for (const entry of entries) this.#entries.set(entry.key, entry);
    this.#clusterId = head.clusterId;
    this.#next = head.revision + 1;
    return changed;
  }

  /** Applies whole transactions. Returns the keys they touched; events of the past, which etcd may repeat, touch none. */
  applyEvents(events: readonly IEvent[]): Set<string> {
    const from = this.#next;
    /** For each key the revision it is at: a repeated event may also stand behind a newer one. */
    const changed = new Map<string, number>();
    for (const { type, kv } of events) {
      const entry = toEntry(kv, this.#isUsed);
      if (entry.modRevision < (changed.get(entry.key) ?? from)) continue;
      if (type === "Put") this.#entries.set(entry.key, entry);
      else this.#entries.delete(entry.key);
      changed.set(entry.key, entry.modRevision);
      this.#next = Math.max(this.#next, entry.modRevision + 1);
    }
    return new Set(changed.keys());
  }
}

/** Also compares bytes: after a restore the same revision may hold something else. */
function isSame(known: Entry | undefined, seen: Entry): boolean {
  if (known === undefined || known.modRevision !== seen.modRevision || known.bytes !== seen.bytes)
    return false;
  if (known.value === null || seen.value === null) return known.value === seen.value;
  return Buffer.compare(known.value, seen.value) === 0;
}
