/** What the source hands on: the content of the prefix as it was at one revision of etcd. */

/** One key of etcd with its value. */
export interface Entry {
  /** Only the beginning of a long one that has no meaning, told apart from others by what follows. */
  readonly key: string;
  /** The value's length in bytes, also where the value itself was not kept. */
  readonly bytes: number;
  /** The value; null where it was dropped at once: it is longer than {@link MAX_VALUE_BYTES}, or its key has no meaning. */
  readonly value: Uint8Array | null;
  /** Revision of etcd that last changed this key. */
  readonly modRevision: number;
}

/** A longer value is rejected and never parsed: certificates come nowhere near it. */
export const MAX_VALUE_BYTES = 1 << 20;

/** Why a snapshot was taken from a full listing, or that it came from the watch. */
export type SnapshotCause = "watch" | ResyncReason;

/**
 * Why the prefix was listed whole: the first time; etcd compacted the revision to resume from; the cluster is
 * another one or went back in time; the regular look; somebody asked.
 */
export type ResyncReason = "start" | "compacted" | "replaced" | "periodic" | "requested";

/**
 * The prefix at `revision`, and the keys that differ from the snapshot before. Whole transactions only.
 *
 * `entries` belongs to the source: read it before asking for the next snapshot, which changes it in place.
 */
export interface Snapshot {
  readonly revision: number;
  readonly cause: SnapshotCause;
  readonly entries: ReadonlyMap<string, Entry>;
  /** Keys put or deleted since the snapshot before; a deleted key is not in `entries`. */
  readonly changed: ReadonlySet<string>;
}
