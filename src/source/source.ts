/**
 * Follows a prefix of etcd without losing a change: an endless row of sessions, each with a client of its own.
 *
 *     connect ─► head ─┬─ known store, revision kept ────────────► watch from `next` ─► snapshot, snapshot, …
 *        ▲             └─ first time, compacted, replaced ─► list ──┘         │
 *        └── full-jitter wait ◄── broken, silent, refused ◄───────────────────┤
 *        └── at once          ◄── time for the regular look, new credentials ◄┘
 *
 * Invariant: every snapshot handed out is the prefix exactly as it was at its revision, and revisions never go back
 * unless etcd itself did (`replaced`).
 */
import type { Report } from "../core/events.ts";
import type { ResyncReason, Snapshot, SnapshotCause } from "../core/snapshot.ts";
import { fullJitterMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { type EtcdAccess, type EtcdClient, openClient } from "./client.ts";
import { credentialsVersion } from "./credentials.ts";
import { toEtcdFailure } from "./failure.ts";
import { type IsUsed, listRange, rangeOf, readHead } from "./list.ts";
import { Mirror } from "./mirror.ts";
import { openWatch, type Watch } from "./watch.ts";

/** What to follow, and how. */
export interface SourceOptions {
  readonly access: EtcdAccess;
  /** Ends with `/`. */
  readonly prefix: string;
  readonly isUsed: IsUsed;
  /** The prefix is listed and compared this often: servers have lost events at compactions. */
  readonly resyncEveryMs: number;
  readonly clock: Clock;
  readonly report: Report;
}

/** A prefix being followed. */
export interface Source {
  /**
   * Snapshots, until the signal is aborted; the first is a full listing. Nothing is read from etcd while a snapshot
   * is being worked on, so a slow consumer slows etcd's stream and not this process's memory. Iterate once.
   */
  snapshots(signal: AbortSignal): AsyncGenerator<Snapshot, void, void>;
  /** Lists the prefix again at the next opportunity. */
  requestResync(): void;
}

const UNAVAILABLE_BACKOFF = { baseMs: 400, capMs: 5_000 };
/** Somebody has to change something first: asking often only fills etcd's log. */
const DENIED_BACKOFF = { baseMs: 2_000, capMs: 30_000 };
const LOOK_AT_CREDENTIALS_EVERY_MS = 10_000;
const LOOK_WHILE_WAITING_EVERY_MS = 1_000;

/** Makes a source; nothing is opened before the first snapshot is asked for. */
export function createSource(options: SourceOptions): Source {
  const follower = new Follower(options);
  return {
    snapshots: (signal) => follower.snapshots(signal),
    requestResync: () => follower.requestResync(),
  };
}

class Follower {
  readonly #options: SourceOptions;
  readonly #mirror: Mirror;
  #endpoint: number;
  #listNext: ResyncReason | undefined;
  #listedAt = 0;
  #interrupt: (() => void) | undefined;
  /** Of what the last session was begun with. */
  #credentials = "";
  /** Sessions in a row that failed before they brought anything. */
  #failures = 0;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.#mirror = new Mirror(options.isUsed);
    this.#endpoint = Math.floor(Math.random() * options.access.endpoints.length);
  }

  requestResync(): void {
    this.#listNext ??= "requested";
    this.#interrupt?.();
  }

  async *snapshots(signal: AbortSignal): AsyncGenerator<Snapshot, void, void> {
    const { access, report } = this.#options;
    while (!signal.aborted) {
      const endpoint = access.endpoints[this.#endpoint % access.endpoints.length] ?? "";
      try {
        yield* this.#session(endpoint, signal);
      } catch (thrown) {
        if (signal.aborted) return;
        const failure = toEtcdFailure(thrown, endpoint);
        const backoff = failure.code === "ETCD_UNAVAILABLE" ? UNAVAILABLE_BACKOFF : DENIED_BACKOFF;
        const retryInMs = fullJitterMs(++this.#failures, backoff);
        report({ type: "etcd.disconnected", code: failure.code, message: failure.message, retryInMs });
        this.#endpoint++;
        await this.#wait(retryInMs, signal).catch((reason) => {
          if (!signal.aborted) throw reason;
        });
      }
    }
  }

  /** Waits to try again, and no longer once somebody has put another password or certificate in place. */
  async #wait(forMs: number, signal: AbortSignal): Promise<void> {
    const { access, clock } = this.#options;
    const until = clock.monotonicMs() + forMs;
    for (let left = forMs; left > 0; left = until - clock.monotonicMs()) {
      await clock.sleep(Math.min(left, LOOK_WHILE_WAITING_EVERY_MS), signal);
      if ((await credentialsVersion(access)) !== this.#credentials) return;
    }
  }

  /** One connection, from the head to the moment it breaks (throws) or has to be made anew (returns). */
  async *#session(endpoint: string, signal: AbortSignal): AsyncGenerator<Snapshot, void, void> {
    const interrupted = new AbortController();
    const interrupt = () => interrupted.abort();
    signal.addEventListener("abort", interrupt, { once: true });
    this.#interrupt = interrupt;
    let client: EtcdClient | undefined;
    let watch: Watch | undefined;
    try {
      const { access, prefix, isUsed, clock, report } = this.#options;
      this.#credentials = await credentialsVersion(access);
      client = await openClient(access, endpoint, interrupted.signal);
      const range = rangeOf(prefix);
      const head = await readHead(client, range);
      report({ type: "etcd.connected", endpoint, ...head });
      const reason = this.#mirror.reasonToList(head) ?? this.#listNext;
      if (reason !== undefined) {
        const listing = await listRange(client, range, isUsed);
        interrupted.signal.throwIfAborted();
        const changed = this.#mirror.applyListing(listing);
        this.#listNext = undefined;
        this.#listedAt = clock.monotonicMs();
        this.#failures = 0;
        yield this.#snapshot(reason, changed);
      }
      watch = await openWatch(client, range, this.#mirror.next, clock, interrupted.signal);
      client.settle();
      this.#failures = 0;
      yield* this.#follow(watch);
    } catch (thrown) {
      if (!interrupted.signal.aborted) throw thrown;
    } finally {
      this.#interrupt = undefined;
      signal.removeEventListener("abort", interrupt);
      watch?.close();
      client?.close();
    }
  }

  /** Hands on what the watch brings. Returns when a new session is needed: to list, or with other credentials. */
  async *#follow(watch: Watch): AsyncGenerator<Snapshot, void, void> {
    const { access, clock } = this.#options;
    let lookedAt = clock.monotonicMs();
    for (;;) {
      const untilListing = this.#untilListing();
      if (this.#listNext !== undefined) return;
      const item = await watch.next(Math.min(untilListing, LOOK_AT_CREDENTIALS_EVERY_MS));
      if (item.kind === "compacted") this.#listNext = "compacted";
      if (item.kind === "events") {
        const changed = this.#mirror.applyEvents(item.events);
        if (changed.size > 0) yield this.#snapshot("watch", changed);
      }
      if (clock.monotonicMs() - lookedAt < LOOK_AT_CREDENTIALS_EVERY_MS) continue;
      lookedAt = clock.monotonicMs();
      if ((await credentialsVersion(access)) !== this.#credentials) return;
    }
  }

  /** Milliseconds until the regular look, which becomes due here. */
  #untilListing(): number {
    const { clock, resyncEveryMs } = this.#options;
    const left = this.#listedAt + resyncEveryMs - clock.monotonicMs();
    if (left <= 0) this.#listNext ??= "periodic";
    return left;
  }

  #snapshot(cause: SnapshotCause, changed: ReadonlySet<string>): Snapshot {
    const { revision, entries } = this.#mirror;
    return { revision, cause, entries, changed };
  }
}
