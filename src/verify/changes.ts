/** Says what is new in a row of looks, and how it ended: not every look, for there may be many in a second. */
import type { Report } from "../core/events.ts";
import type { Looked } from "./tls-look.ts";

/** What is told of a row of looks. */
export interface Changes {
  /** Reported where it is neither the first mismatch of the row nor known from an earlier look. */
  mismatch(looked: Looked): void;
  /** What the row ended with, reported; the last mismatch where it is not given, unless that was reported last. */
  end(looked?: Looked): void;
}

/** A service that shows another certificate each time is not reported for each of them. */
const MAX_KNOWN = 8;

/** Reports the looks of one row. */
export function reportChanges(report: Report): Changes {
  const known = new Set<string>();
  let last: Looked | undefined;
  let reported: string | undefined;
  const tell = ({ event }: Looked, key: string) => {
    reported = key;
    report(event);
  };
  return {
    mismatch: (looked) => {
      const key = keyOf(looked);
      const isNews = known.size > 0 && known.size < MAX_KNOWN && !known.has(key);
      known.add(key);
      last = looked;
      if (isNews) tell(looked, key);
    },
    end: (looked = last) => {
      if (looked !== undefined && keyOf(looked) !== reported) tell(looked, keyOf(looked));
    },
  };
}

function keyOf({ verdict }: Looked): string {
  return verdict.kind === "matches" ? "" : `${verdict.reason} ${verdict.fingerprint256}`;
}
