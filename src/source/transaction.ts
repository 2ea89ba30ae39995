/** Single transactions of etcd: some keys as they are at one revision, and a change that happens as a whole or not at all. */
import type { ICompare, IRequestOp, IResponseOp } from "etcd3";
import type { Entry } from "../core/snapshot.ts";
import type { EtcdClient } from "./client.ts";
import { toEntry } from "./list.ts";

/** Some keys at one revision. */
export interface KeysRead {
  readonly revision: number;
  /** Those that are there. */
  readonly entries: ReadonlyMap<string, Entry>;
}

/** What is to be done, all of it or nothing. */
export interface Change {
  readonly puts: ReadonlyMap<string, Uint8Array>;
  readonly deletes: readonly string[];
  /** Keys that have to be as they were read: the revision that changed each last, 0 where it was not there. */
  readonly asRead: ReadonlyMap<string, number>;
}

/** What became of a change. Nothing was written but where it says so. */
export type Changed =
  | { readonly kind: "written"; readonly revision: number }
  /** Somebody else changed these keys meanwhile. */
  | { readonly kind: "conflict"; readonly keys: readonly string[] }
  /** It is over a limit that this etcd has, in its words. */
  | { readonly kind: "overLimit"; readonly words: string };

/** A transaction may carry more than a megabyte over a slow link. */
const CHANGE_TIMEOUT_MS = 15_000;

/** Reads keys. Throws what etcd throws. */
export async function readKeys({ etcd }: EtcdClient, keys: readonly string[]): Promise<KeysRead> {
  const { header, responses } = await etcd.kv.txn({ success: keys.map(rangeOf) });
  return { revision: Number(header.revision), entries: entriesIn(responses) };
}

/**
 * Makes a change. Throws what etcd throws.
 *
 * @param isRepeated Whether the answer to the same change was lost before: what it would write may be there.
 */
export async function commit({ etcd }: EtcdClient, change: Change, isRepeated: boolean): Promise<Changed> {
  const { puts, deletes, asRead } = change;
  const compared = [...asRead.keys()];
  const request = {
    compare: [...asRead].map(isAsRead),
    success: [...[...puts].map(putOf), ...deletes.map(deletionOf)],
    failure: compared.map(rangeOf),
  };
  const options = { deadline: Date.now() + CHANGE_TIMEOUT_MS };
  const { header, succeeded, responses } = await etcd.kv.txn(request, options);
  if (succeeded) return { kind: "written", revision: Number(header.revision) };
  const now = entriesIn(responses);
  const revision = isRepeated ? revisionOf(change, now) : undefined;
  if (revision !== undefined) return { kind: "written", revision };
  const keys = compared.filter((key) => (now.get(key)?.modRevision ?? 0) !== asRead.get(key));
  return { kind: "conflict", keys };
}

/** The revision of a transaction that did exactly this; undefined where something else is there. */
function revisionOf({ puts, deletes }: Change, now: KeysRead["entries"]): number | undefined {
  const found = [...puts].map(([key, value]) => {
    const entry = now.get(key);
    return entry?.value && Buffer.compare(entry.value, value) === 0 ? entry.modRevision : undefined;
  });
  const revisions = new Set(found);
  return revisions.size === 1 && !deletes.some((key) => now.has(key)) ? found[0] : undefined;
}

function rangeOf(key: string): IRequestOp {
  return { request_range: { key: Buffer.from(key) } };
}

function putOf([key, value]: [string, Uint8Array]): IRequestOp {
  return { request_put: { key: Buffer.from(key), value: Buffer.from(value) } };
}

function deletionOf(key: string): IRequestOp {
  return { request_delete_range: { key: Buffer.from(key) } };
}

function isAsRead([key, revision]: [string, number]): ICompare {
  return { result: "Equal", target: "Mod", key: Buffer.from(key), mod_revision: String(revision) };
}

function entriesIn(responses: readonly IResponseOp[]): ReadonlyMap<string, Entry> {
  const entries = responses.flatMap(({ response_range }) =>
    response_range.kvs.map((kv) => toEntry(kv, () => true)),
  );
  return new Map(entries.map((entry) => [entry.key, entry]));
}
