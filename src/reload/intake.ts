/**
 * From what etcd holds to what has to be reloaded: groups keys to bundles, leaves alone what is live already, holds
 * parts until they fit together, and lets nothing through that was not proven good.
 */

import type { Bundle } from "../core/bundle.ts";
import type { Digest } from "../core/digest.ts";
import { matchesAny } from "../core/glob.ts";
import { gatherMaterial, isAbsent, type Material } from "../core/material.ts";
import { readMeta } from "../core/meta.ts";
import type { BundleName } from "../core/names.ts";
import { readKey } from "../core/names.ts";
import type { RetryResult } from "../core/outcome.ts";
import type { Snapshot } from "../core/snapshot.ts";
import { yieldToOthers } from "../runtime/clock.ts";
import { breakdown, contentOf, type LookTools, lookAt, rejectionOf, retry } from "./look.ts";
import type { Store } from "./ports.ts";
import type { ReloadQueue } from "./queue.ts";

/** What the intake works with. */
export interface IntakeOptions extends LookTools {
  readonly prefix: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly onDelete: "keep" | "remove";
  readonly store: LookTools["store"] & Pick<Store, "names">;
  readonly queue: LookTools["queue"] & Pick<ReloadQueue, "remove">;
}

/** Keys that were reported as ignored; past this many, new ones are only counted. */
const MAX_REMEMBERED_KEYS = 1_000;

/** Bundles that are looked at before others have their turn; a look takes about two milliseconds. */
const LOOKS_A_TURN = 8;

/** Takes snapshots in order. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #ignoredKeys = new Set<string>();
  readonly #excluded = new Set<BundleName>();
  readonly #labels = new Map<BundleName, string>();
  /** What etcd held at the last snapshot; the source changes it in place. */
  #entries: Snapshot["entries"] = new Map();
  /** The newest look at each bundle that is not finished: an older one that finishes later is dropped. */
  readonly #looks = new Map<BundleName, AbortController>();

  /** @param signal Ends everything the intake waits for. */
  constructor(options: IntakeOptions, signal: AbortSignal) {
    this.#options = options;
    signal.addEventListener("abort", () => {
      for (const look of this.#looks.values()) look.abort();
    });
  }

  /**
   * Takes in what changed, and returns when every bundle was looked at; what has to wait goes on after that. The next
   * snapshot is taken after this one.
   */
  async take(snapshot: Snapshot): Promise<void> {
    const { prefix, report } = this.#options;
    const { cause, revision, entries, changed } = snapshot;
    this.#entries = entries;
    const names = new Set<BundleName>();
    for (const key of changed) {
      const meaning = readKey(prefix, key);
      if (meaning.kind === "part") names.add(meaning.name);
      else if (entries.has(key)) this.#ignore(key, meaning.why);
    }
    let looked = 0;
    for (const name of names) {
      this.#look(gatherMaterial(prefix, name, entries), snapshot);
      // A first listing can be thousands of bundles: hooks, timers and health checks are not to wait for all of them.
      if (++looked % LOOKS_A_TURN === 0) await yieldToOthers();
    }
    if (cause === "start") this.#reportMissing(snapshot);
    report({ type: "etcd.snapshot", cause, revision, keys: entries.size, changed: changed.size });
  }

  /** What etcd holds of the bundle, where that is the content of this digest; else null. */
  async contentOf(name: BundleName, digest: Digest, signal: AbortSignal): Promise<Bundle | null> {
    return contentOf(this.#materialOf(name), digest, this.#options, signal);
  }

  /**
   * Tries the content that etcd holds again, whatever became of it before.
   *
   * @throws KeyturnError BUNDLE_UNKNOWN, NOTHING_TO_DO.
   */
  async retry(name: BundleName, signal: AbortSignal): Promise<RetryResult> {
    return retry(this.#materialOf(name), this.#options, signal);
  }

  #materialOf(name: BundleName): Material {
    return gatherMaterial(this.#options.prefix, name, this.#entries);
  }

  #ignore(key: string, why: string): void {
    const first = !this.#ignoredKeys.has(key) && this.#ignoredKeys.size < MAX_REMEMBERED_KEYS;
    if (first) this.#ignoredKeys.add(key);
    this.#options.report({ type: "key.ignored", key, why, first });
  }

  /** What was deleted while this node was away is told and kept: an emptied etcd must not empty a node. */
  #reportMissing({ entries }: Snapshot): void {
    const { prefix, store, report } = this.#options;
    for (const name of store.names()) {
      if (!isAbsent(gatherMaterial(prefix, name, entries))) continue;
      report({ type: "bundle.deleted", bundle: name, removed: false, failure: null });
    }
  }

  #look(material: Material, { cause }: Snapshot): void {
    const { name } = material;
    const { include, exclude, report } = this.#options;
    this.#looks.get(name)?.abort();
    this.#looks.delete(name);
    if (!matchesAny(name, include) || matchesAny(name, exclude)) {
      if (!this.#excluded.has(name)) report({ type: "bundle.excluded", bundle: name });
      this.#excluded.add(name);
      return;
    }
    if (isAbsent(material)) {
      this.#labels.delete(name);
      this.#delete(name, cause !== "replaced");
      return;
    }
    report({ type: "bundle.observed", bundle: name });
    this.#takeLabels(material);
    const look = new AbortController();
    this.#looks.set(name, look);
    lookAt(material, this.#options, look.signal).then(
      () => this.#forget(name, look),
      (thrown: unknown) => {
        this.#forget(name, look);
        if (!look.signal.aborted) report({ ...rejectionOf(material), problems: [breakdown(thrown)] });
      },
    );
  }

  #forget(name: BundleName, look: AbortController): void {
    if (this.#looks.get(name) === look) this.#looks.delete(name);
  }

  #delete(name: BundleName, sameStore: boolean): void {
    const { onDelete, queue, store, report } = this.#options;
    const onDisk = store.current(name) !== undefined || queue.isBusy(name);
    if (onDelete === "remove" && sameStore && onDisk) queue.remove(name);
    else report({ type: "bundle.deleted", bundle: name, removed: false, failure: null });
  }

  #takeLabels({ name, parts }: Material): void {
    const { labels, problem } = readMeta(parts.find(({ part }) => part === "meta.json")?.entry);
    const seen = JSON.stringify([labels, problem]);
    if (this.#labels.get(name) === seen) return;
    this.#labels.set(name, seen);
    this.#options.report({ type: "bundle.labels", bundle: name, labels, problem });
  }
}
