/** Lists the whole prefix at one revision, page by page. */
import { createHash } from "node:crypto";
import type { IKeyValue, IRangeResponse } from "etcd3";
import { type Entry, MAX_VALUE_BYTES } from "../core/snapshot.ts";
import type { EtcdClient } from "./client.ts";
import { isTooLargeAnAnswer } from "./failure.ts";

/** Who answered, and how far its store is. */
export interface StoreHead {
  readonly clusterId: string;
  readonly revision: number;
}

/** The content of the prefix at `head.revision`. */
export interface Listing {
  readonly head: StoreHead;
  readonly entries: readonly Entry[];
}

/** Keys of one page: 2 MB of certificates. Fewer where values are so large that a page does not fit. */
const PAGE_KEYS = 500;
/** A full page on a slow link takes its time; that a link is dead is noticed by keepalive, in half of it. */
const PAGE_TIMEOUT_MS = 30_000;

/** More of a key that is not used is not kept. */
const MAX_UNUSED_CHARS = 200;

/** Whether a key means anything: of the others only is known that they are there. */
export type IsUsed = (key: string) => boolean;

/** A key range: `[key, end)`. */
export interface KeyRange {
  readonly key: Buffer;
  readonly end: Buffer;
}

/** The range of every key that begins with `prefix`, a non-empty string that ends with `/`. */
export function rangeOf(prefix: string): KeyRange {
  const key = Buffer.from(prefix);
  const end = Buffer.from(key);
  end[end.length - 1] = (end[end.length - 1] ?? 0) + 1;
  return { key, end };
}

/**
 * Asks for the head of the store, through consensus: the answer proves that this member has a quorum and that the
 * user may read the prefix.
 */
export async function readHead({ etcd, run }: EtcdClient, { key, end }: KeyRange): Promise<StoreHead> {
  const answer = await run(() => etcd.kv.range({ key, range_end: end, limit: 1, keys_only: true }));
  return headOf(answer);
}

/** Lists the range. Throws what etcd throws: a compaction in the middle means to begin again. */
export async function listRange(
  { etcd, run }: EtcdClient,
  { key, end }: KeyRange,
  isUsed: IsUsed,
): Promise<Listing> {
  const entries: Entry[] = [];
  let head: StoreHead | undefined;
  let from = key;
  let limit = PAGE_KEYS;
  for (;;) {
    // Every page at the revision of the first; a listing across revisions would be a state that never was.
    const revision = head === undefined ? {} : { revision: head.revision };
    const options = { deadline: Date.now() + PAGE_TIMEOUT_MS };
    let page: IRangeResponse;
    try {
      page = await run(() => etcd.kv.range({ key: from, range_end: end, limit, ...revision }, options));
    } catch (thrown) {
      if (limit === 1 || !isTooLargeAnAnswer(thrown)) throw thrown;
      limit = Math.ceil(limit / 4);
      continue;
    }
    head ??= headOf(page);
    entries.push(...page.kvs.map((kv) => toEntry(kv, isUsed)));
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return { head, entries };
    from = Buffer.concat([last.key, Buffer.from([0])]);
  }
}

/**
 * A key and value as etcd sent them. A value over the limit and what nobody uses is dropped here, so that it never takes
 * memory: a key may be as long as a value.
 */
export function toEntry({ key, value, mod_revision }: IKeyValue, isUsed: IsUsed): Entry {
  const text = key.toString("utf8");
  const facts = { bytes: value.length, modRevision: Number(mod_revision) };
  if (!isUsed(text)) return { ...facts, key: shorten(text), value: null };
  // A copy: what etcd sent is a piece of a whole page, all of which would stay.
  return { ...facts, key: text, value: value.length > MAX_VALUE_BYTES ? null : Buffer.from(value) };
}

/** The same for the same key, and no key that is used: those have neither spaces nor dots of this kind. */
function shorten(key: string): string {
  if (key.length <= MAX_UNUSED_CHARS) return key;
  const hash = createHash("sha256").update(key).digest("hex").slice(0, 16);
  return `${key.slice(0, MAX_UNUSED_CHARS)}… (${key.length} characters, ${hash})`;
}

function headOf({ header }: IRangeResponse): StoreHead {
  return { clusterId: header.cluster_id, revision: Number(header.revision) };
}
