/** Follows a source as the daemon does, keeps what it hands out, and checks what is promised of every snapshot. */
import type { TestContext } from "node:test";
import type { DaemonEvent } from "../../src/core/events.ts";
import type { Entry, Snapshot, SnapshotCause } from "../../src/core/snapshot.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { EtcdAccess } from "../../src/source/client.ts";
import { createSource, type SourceOptions } from "../../src/source/source.ts";
import { until } from "./wait.ts";

/** A snapshot as it was when it was handed out. */
interface SeenSnapshot {
  readonly revision: number;
  readonly cause: SnapshotCause;
  /** What changed: the new entry, or null where the key is gone. */
  readonly changed: ReadonlyMap<string, Entry | null>;
}

/** A source being read. */
export interface Following {
  readonly seen: readonly SeenSnapshot[];
  readonly events: readonly DaemonEvent[];
  /** Promises that were broken: anything lost, repeated, reordered or not told. */
  readonly breaches: readonly string[];
  /** The prefix as it is known now: each key with its value as text, or null. */
  content(): Record<string, string | null>;
  causes(): SnapshotCause[];
  /** The events of one type, oldest first. */
  reported<T extends DaemonEvent["type"]>(type: T): Extract<DaemonEvent, { type: T }>[];
  requestResync(): void;
  /** Waits until `count` snapshots were handed out. */
  untilSeen(count: number): Promise<SeenSnapshot>;
  /** Waits until everything up to this revision was handed out. */
  untilRevision(revision: number): Promise<void>;
  /** Waits until the prefix looks like this. */
  untilContent(content: Readonly<Record<string, string | null>>): Promise<void>;
  /** Aborts, and waits until the iteration has ended. Gives the milliseconds that took. */
  stop(): Promise<number>;
}

/** Options of a source, with the defaults of the tests. */
export interface FollowOptions extends Partial<Omit<SourceOptions, "report" | "access">> {
  readonly access: EtcdAccess;
  /** The work of the consumer: the next snapshot is asked for when it is done. */
  readonly work?: (seen: SeenSnapshot) => Promise<void> | void;
}

/** Starts to follow `/certs/`; ends when the test is over. */
export function follow(t: TestContext, { work, ...options }: FollowOptions): Following {
  const seen: SeenSnapshot[] = [];
  const events: DaemonEvent[] = [];
  const ledger = new Ledger();
  const controller = new AbortController();
  const source = createSource({
    prefix: "/certs/",
    isUsed: () => true,
    resyncEveryMs: 3_600_000,
    clock: systemClock,
    report: (event) => events.push(event),
    ...options,
  });
  const read = async () => {
    for await (const snapshot of source.snapshots(controller.signal)) {
      seen.push(ledger.enter(snapshot));
      await work?.(seen.at(-1) as SeenSnapshot);
    }
    if (!controller.signal.aborted) ledger.breaches.push("the source ended by itself");
  };
  let isOver = false;
  const reading = read()
    .catch((thrown) => ledger.breaches.push(`the source threw ${thrown}`))
    .finally(() => {
      isOver = true;
    });
  const stop = async () => {
    const from = performance.now();
    controller.abort();
    await until("the iteration has ended", () => isOver);
    await reading;
    return performance.now() - from;
  };
  t.after(stop);
  const content = () => ledger.content();
  return {
    seen,
    events,
    breaches: ledger.breaches,
    content,
    causes: () => seen.map(({ cause }) => cause),
    reported: <T extends DaemonEvent["type"]>(type: T) =>
      events.filter((event): event is Extract<DaemonEvent, { type: T }> => event.type === type),
    requestResync: () => source.requestResync(),
    untilSeen: (count) => until(`there are ${count} snapshots`, () => seen[count - 1]),
    untilRevision: async (revision) => {
      await until(
        `revision ${revision} was handed out`,
        () => (seen.at(-1)?.revision ?? 0) >= revision,
        60_000,
      );
    },
    untilContent: async (wanted) => {
      await until("the content is as wanted", () => differences(content(), wanted).length === 0);
    },
    stop,
  };
}

/** The keys in which two contents differ, sorted: what was lost, and what should not be there. */
export function differences(
  one: Readonly<Record<string, string | null>>,
  other: Readonly<Record<string, string | null>>,
): string[] {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].filter((key) => one[key] !== other[key]).sort();
}

/** Copies snapshots and checks each against the ones before. */
class Ledger {
  readonly breaches: string[] = [];
  readonly #known = new Map<string, Entry>();
  #revision = 0;

  content(): Record<string, string | null> {
    const texts = [...this.#known].map(([key, { value }]) => [key, value && Buffer.from(value).toString()]);
    return Object.fromEntries(texts);
  }

  enter({ revision, cause, entries, changed }: Snapshot): SeenSnapshot {
    const copy = new Map([...changed].map((key) => [key, entries.get(key) ?? null]));
    const isAnew = cause === "start" || cause === "replaced";
    if (revision < this.#revision && !isAnew) this.#breach(`revision ${revision} after ${this.#revision}`);
    if (cause === "watch" && copy.size === 0) this.#breach(`nothing changed at revision ${revision}`);
    for (const [key, entry] of copy) {
      if (entry === null && !this.#known.has(key) && cause !== "watch")
        this.#breach(`${key} was not there before`);
      if (entry !== null && !isAnew) this.#checkOrder(key, entry, revision);
      if (entry === null) this.#known.delete(key);
      else this.#known.set(key, entry);
    }
    this.#checkTold(entries, revision);
    this.#revision = revision;
    return { revision, cause, changed: copy };
  }

  /** A change belongs to exactly one snapshot. */
  #checkOrder(key: string, { modRevision }: Entry, revision: number): void {
    if (modRevision <= this.#revision) this.#breach(`${key} of revision ${modRevision} came again, or late`);
    if (modRevision > revision)
      this.#breach(`${key} of revision ${modRevision} in the snapshot of ${revision}`);
  }

  /** The snapshot is what was known before with what changed. */
  #checkTold(entries: ReadonlyMap<string, Entry>, revision: number): void {
    for (const [key, { modRevision }] of entries) {
      if (this.#known.get(key)?.modRevision !== modRevision)
        this.#breach(`${key} changed untold by ${revision}`);
    }
    if (this.#known.size !== entries.size) this.#breach(`a key went untold by ${revision}`);
  }

  #breach(what: string): void {
    this.breaches.push(what);
  }
}
