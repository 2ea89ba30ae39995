/** What etcd acknowledged of one bundle, in order: the truth that everything else is judged by. */
import type { Content, ContentMaker, Fate } from "./content.ts";

/** A content that etcd acknowledged. */
interface Acknowledged {
  readonly fate: Fate;
  readonly mark: string;
  /** Milliseconds of the monotonic clock of this process. */
  readonly atMs: number;
}

/** The contents of one bundle. */
export interface Line {
  readonly maker: ContentMaker;
  /** Oldest first. The same mark is there again where the same content was put again. */
  readonly acknowledged: readonly Acknowledged[];
  /** The last content as a whole; undefined before the first. */
  readonly last: Content | undefined;
  /** The last few good contents, oldest first. */
  readonly good: readonly Content[];
  note(content: Content): void;
  /** The place of the newest content with this mark; -1 where etcd never acknowledged one. */
  placeOf(mark: string): number;
  /** What this content is, and since when; undefined where etcd never acknowledged it. */
  first(mark: string): Acknowledged | undefined;
}

/** Good contents that are remembered, to be put once more. */
const REMEMBERED = 6;

export function createLine(maker: ContentMaker): Line {
  const acknowledged: Acknowledged[] = [];
  const places = new Map<string, { first: number; newest: number }>();
  const good: Content[] = [];
  let last: Content | undefined;
  return {
    maker,
    acknowledged,
    good,
    get last() {
      return last;
    },
    note: (content) => {
      const { fate, mark } = content;
      const newest = acknowledged.length;
      places.set(mark, { first: places.get(mark)?.first ?? newest, newest });
      acknowledged.push({ fate, mark, atMs: performance.now() });
      last = content;
      if (fate !== "good") return;
      good.push(content);
      if (good.length > REMEMBERED) good.shift();
    },
    placeOf: (mark) => places.get(mark)?.newest ?? -1,
    first: (mark) => acknowledged[places.get(mark)?.first ?? -1],
  };
}
