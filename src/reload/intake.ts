/**
 * From what etcd holds to what has to be reloaded: groups keys to bundles, leaves alone what is live already, holds
 * parts until they fit together, and lets nothing through that was not proven good.
 */

import { messageOf } from "../core/errors.ts";
import type { Report } from "../core/events.ts";
import { matchesAny } from "../core/glob.ts";
import { type Contents, gatherMaterial, isAbsent, type Material, readMaterial } from "../core/material.ts";
import { readMeta } from "../core/meta.ts";
import type { BundleName } from "../core/names.ts";
import { readKey } from "../core/names.ts";
import { mayYetFit, type Problem } from "../core/problem.ts";
import type { Snapshot } from "../core/snapshot.ts";
import { type Clock, yieldToOthers } from "../runtime/clock.ts";
import type { Examine, Store } from "./ports.ts";
import type { ReloadQueue } from "./queue.ts";

/** What the intake works with. */
export interface IntakeOptions {
  readonly prefix: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** How long parts may take to fit together before that is reported. */
  readonly settleMs: number;
  readonly onDelete: "keep" | "remove";
  readonly store: Pick<Store, "current" | "names">;
  readonly queue: Pick<ReloadQueue, "offer" | "remove" | "isBusy">;
  readonly examine: Examine;
  readonly clock: Clock;
  readonly report: Report;
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
    this.#examine(material, look.signal).then(
      () => this.#forget(name, look),
      (thrown: unknown) => {
        this.#forget(name, look);
        if (!look.signal.aborted) this.#reportBreakdown(material, thrown);
      },
    );
  }

  #reportBreakdown({ name, revision }: Material, thrown: unknown): void {
    const problems: readonly Problem[] = [{ code: "CHECK_FAILED", message: messageOf(thrown) }];
    this.#options.report({ type: "bundle.rejected", bundle: name, revision, problems });
  }

  #forget(name: BundleName, look: AbortController): void {
    if (this.#looks.get(name) === look) this.#looks.delete(name);
  }

  async #examine(material: Material, signal: AbortSignal): Promise<void> {
    const { name, revision } = material;
    const { store, queue, report, examine, settleMs, clock } = this.#options;
    const read = readMaterial(material);
    if (!read.ok) {
      report({ type: "bundle.rejected", bundle: name, revision, problems: read.problems });
      return;
    }
    const { contents } = read;
    const { digest } = contents;
    const current = store.current(name);
    if (current?.digest === digest && current.state === "live" && !queue.isBusy(name)) {
      report({ type: "bundle.unchanged", bundle: name, digest });
      return;
    }
    const examined = this.#wouldLoseLeaf(contents) ?? (await examine(contents, signal));
    signal.throwIfAborted();
    if (!examined.ok) {
      if (!contents.inParts || !mayYetFit(examined.problems)) {
        report({ type: "bundle.rejected", bundle: name, revision, problems: examined.problems });
        return;
      }
      await this.#wait(name, revision, examined.problems, signal);
      return;
    }
    const { bundle } = examined;
    // ca.crt may be the first of several parts: a new name gets a moment for its leaf and key to arrive.
    if (bundle.identity === null && contents.inParts && current === undefined)
      await clock.sleep(settleMs, signal);
    report({
      type: "bundle.accepted",
      bundle: name,
      digest,
      revision: bundle.revision,
      leaf: bundle.identity?.leaf ?? null,
    });
    queue.offer(bundle);
  }

  /** Says that parts are missing, and says so louder when they stay missing. */
  async #wait(
    name: BundleName,
    revision: number,
    problems: readonly Problem[],
    signal: AbortSignal,
  ): Promise<void> {
    const { report, clock, settleMs } = this.#options;
    const waiting = { type: "bundle.waiting", bundle: name, revision, problems } as const;
    report({ ...waiting, overdue: false });
    await clock.sleep(settleMs, signal);
    report({ ...waiting, overdue: true });
  }

  /** A bundle in parts whose leaf and key were deleted does not turn into a trust bundle: what is live stays. */
  #wouldLoseLeaf({
    name,
    blocks,
    inParts,
  }: Contents): { ok: false; problems: readonly Problem[] } | undefined {
    const live = this.#options.store.current(name);
    const hasIdentity = blocks.some(({ role }) => role === "private-key" || role === "certificate");
    if (!inParts || hasIdentity || !live?.leaf) return undefined;
    const message =
      "tls.crt and tls.key are gone, ca.crt is still there; put them again, or delete ca.crt too";
    return { ok: false, problems: [{ code: "LEAF_MISSING", message }] };
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
